package io.unitycatalog.headrace

import java.util
import java.util.concurrent.ConcurrentHashMap

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode
import io.headrace.sql.Refused
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.catalyst.analysis._
import org.apache.spark.sql.catalyst.catalog.CatalogTable
import org.apache.spark.sql.connector.catalog._
import org.apache.spark.sql.connector.expressions.Transform
import org.apache.spark.sql.headrace.SparkInternals
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * What DeltaCatalog sees below itself: tables and schemas as the server knows them, nothing about data.
 *
 * Delta takes a delegate for an external catalog, and so creates tables through it after its commit, only when the
 * delegate's class name starts with "io.unitycatalog." (AbstractDeltaCatalog.isUnityCatalog, Delta 4.4.0). Do not move it.
 */
class MetadataCatalog(api: CatalogApi) extends TableCatalog with SupportsNamespaces {
  private var catalog: String = _

  // By path: the location as the server spelled it. Delta normalises URIs, and the server must get its own text back.
  private val issuedLocations = new ConcurrentHashMap[String, String]()

  override def initialize(name: String, options: CaseInsensitiveStringMap): Unit = catalog = name

  override def name(): String = catalog

  def find(ident: Identifier): Option[JsonNode] = TableNames.wireName(ident).flatMap(api.findTable(_))

  override def listTables(namespace: Array[String]): Array[Identifier] =
    list(namespace).filterNot(TableDocuments.isView).map(identifierOf(namespace, _)).toArray

  def list(namespace: Array[String]): Seq[JsonNode] =
    orNoNamespace(namespace)(api.listTables(TableNames.schemaName(catalog, namespace)))

  override def loadTable(ident: Identifier): Table =
    find(ident).filterNot(TableDocuments.isView).map(described(ident, _)).map(SparkInternals.tableOf)
      .getOrElse(throw new NoSuchTableException(ident))

  def findDelta(ident: Identifier): Option[CatalogTable] =
    find(ident).filter(d => !TableDocuments.isView(d) && TableDocuments.formatOf(d) == "delta").map(described(ident, _))

  private def described(ident: Identifier, document: JsonNode): CatalogTable =
    TableDocuments.toCatalogTable(catalog, TableNames.wireName(ident).get, document)

  /** A new folder for a managed table. The server answers 404 when the schema is missing: nothing has been written yet. */
  def newLocation(ident: Identifier): String = {
    val location = askLocation(ident, None)
    issuedLocations.put(pathOf(location), location)
    TableDocuments.withScheme(location)
  }

  /** The place of an external table, refused before anything is written where the server allows none. */
  def externalLocation(ident: Identifier, location: String): String = askLocation(ident, Some(location))

  private def askLocation(ident: Identifier, external: Option[String]): String = {
    val name = TableNames.requireWireName(catalog, ident)
    try api.createTableLocation(name, external)
    catch { case e: ApiRefusal if e.isMissing => throw Refused.missingSchema(catalog, name.schema) }
  }

  override def createTable(
      ident: Identifier, schema: StructType, partitions: Array[Transform], properties: util.Map[String, String]): Table =
    register(ident, schema, partitions, properties.asScala.toMap)

  override def createTable(
      ident: Identifier, columns: Array[Column], partitions: Array[Transform], properties: util.Map[String, String]): Table =
    register(ident, SparkInternals.schemaOf(columns), partitions, properties.asScala.toMap)

  /** Delta calls this after its commit, so a table is registered only when it can be read. */
  private def register(ident: Identifier, schema: StructType, partitions: Array[Transform], properties: Map[String, String]): Table = {
    val name = TableNames.requireWireName(catalog, ident)
    val format = properties.getOrElse(TableCatalog.PROP_PROVIDER, "delta").toLowerCase
    val location = properties(TableCatalog.PROP_LOCATION)
    val facts =
      if (format == "delta") DeltaFacts.ofLog(new Path(location))
      else TableFacts(
        schema, partitions.map(_.references.head.fieldNames.head).toSeq,
        properties -- TableDocuments.ReservedProperties, properties.get(TableCatalog.PROP_COMMENT))
    val document = TableDocuments.ofFacts(facts)
      .put("table_type", if (properties.get(TableCatalog.PROP_IS_MANAGED_LOCATION).contains("true")) "MANAGED" else "EXTERNAL")
      .put("data_source_format", format.toUpperCase)
      .put("storage_location", issuedLocations.getOrDefault(pathOf(location), location))
    val created = orNoNamespace(ident.namespace)(api.createTable(name, document))
    issuedLocations.remove(pathOf(location))
    if (created.isEmpty) throw new TableAlreadyExistsException(ident)
    loadTable(ident)
  }

  override def alterTable(ident: Identifier, changes: TableChange*): Table = throw new UnsupportedOperationException(
    s"ALTER TABLE is not supported for ${TableDocuments.formatOf(find(ident).get)} tables in catalog $catalog: " +
      "only Delta tables can be altered; drop the table (its files stay) and create it again.")

  override def dropTable(ident: Identifier): Boolean = drop(ident, purges = false)

  /** Nothing is kept for UNDROP. */
  override def purgeTable(ident: Identifier): Boolean = drop(ident, purges = true)

  private def drop(ident: Identifier, purges: Boolean): Boolean =
    find(ident).exists(!TableDocuments.isView(_)) && api.deleteTable(TableNames.wireName(ident).get, purges)

  def dropView(ident: Identifier): Boolean =
    find(ident).exists(TableDocuments.isView) && api.deleteTable(TableNames.wireName(ident).get)

  override def renameTable(from: Identifier, to: Identifier): Unit = {
    val source = TableNames.wireName(from).getOrElse(throw new NoSuchTableException(from))
    val target = TableNames.renameTarget(catalog, from, to)
    try api.renameTable(source, target)
    catch {
      case e: ApiRefusal if e.isConflict => throw new TableAlreadyExistsException(to)
      case e: ApiRefusal if e.isMissing =>
        if (api.findTable(source).isEmpty) throw new NoSuchTableException(from)
        throw new NoSuchNamespaceException(Array(catalog, target.schema))
    }
  }

  override def listNamespaces(): Array[Array[String]] = api.listSchemas().map(s => Array(s.path("name").asText)).toArray

  override def listNamespaces(namespace: Array[String]): Array[Array[String]] =
    if (namespace.isEmpty) listNamespaces()
    else if (namespaceExists(namespace)) Array.empty
    else throw new NoSuchNamespaceException(catalog +: namespace)

  override def namespaceExists(namespace: Array[String]): Boolean =
    namespace.length == 1 && TableNames.isWireName(namespace.head) && api.findSchema(namespace.head.toLowerCase).isDefined

  override def loadNamespaceMetadata(namespace: Array[String]): util.Map[String, String] =
    api.findSchema(TableNames.schemaName(catalog, namespace)).map(TableDocuments.toNamespaceProperties)
      .getOrElse(throw new NoSuchNamespaceException(catalog +: namespace))

  override def createNamespace(namespace: Array[String], properties: util.Map[String, String]): Unit = {
    val document = TableDocuments.ofNamespaceProperties(properties.asScala.toMap)
    if (!api.createSchema(TableNames.requireSchemaName(catalog, namespace), document))
      throw new NamespaceAlreadyExistsException(catalog +: namespace)
  }

  override def alterNamespace(namespace: Array[String], changes: NamespaceChange*): Unit = {
    val schema = TableNames.schemaName(catalog, namespace)
    val before = loadNamespaceMetadata(namespace).asScala.toMap
    val after = changes.foldLeft(before) {
      case (properties, set: NamespaceChange.SetProperty) => properties + (set.property -> set.value)
      case (properties, remove: NamespaceChange.RemoveProperty) => properties - remove.property
    }
    if (after.get(SupportsNamespaces.PROP_LOCATION) != before.get(SupportsNamespaces.PROP_LOCATION))
      throw new UnsupportedOperationException(
        s"The location of schema $catalog.$schema cannot be changed: create a new schema with MANAGED LOCATION instead.")
    val document = TableDocuments.ofNamespaceProperties(after - SupportsNamespaces.PROP_LOCATION)
    if (!document.has("comment") && before.contains(SupportsNamespaces.PROP_COMMENT)) document.put("comment", "")
    if (after.get(SupportsNamespaces.PROP_OWNER) != before.get(SupportsNamespaces.PROP_OWNER))
      after.get(SupportsNamespaces.PROP_OWNER).foreach(document.put("owner", _))
    api.updateSchema(schema, document)
  }

  override def dropNamespace(namespace: Array[String], cascade: Boolean): Boolean =
    try api.deleteSchema(TableNames.schemaName(catalog, namespace), cascade)
    catch {
      // The API's answers to "not empty"; anything else (no permission, say) must show its own message.
      case e: ApiRefusal if !cascade && (e.isConflict || e.code == "INVALID_STATE") =>
        throw new NonEmptyNamespaceException(catalog +: namespace)
    }

  private def identifierOf(namespace: Array[String], document: JsonNode) = Identifier.of(namespace, document.path("name").asText)

  private def orNoNamespace[T](namespace: Array[String])(body: => T): T =
    try body catch { case e: ApiRefusal if e.isMissing => throw new NoSuchNamespaceException(catalog +: namespace) }

  private def pathOf(location: String): String = new Path(location).toUri.getPath
}
