package io.unitycatalog.headrace

import java.util

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import io.headrace.sql.Refused
import org.apache.hadoop.fs.Path
import org.apache.spark.internal.Logging
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.TableIdentifier
import org.apache.spark.sql.catalyst.analysis._
import org.apache.spark.sql.catalyst.catalog.CatalogTable
import org.apache.spark.sql.connector.catalog._
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction
import org.apache.spark.sql.connector.expressions.Transform
import org.apache.spark.sql.delta.catalog.{DeltaCatalog, DeltaTableV2}
import org.apache.spark.sql.delta.commands.TableCreationModes
import org.apache.spark.sql.headrace.SparkInternals
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * Three-level names in Spark: `spark.sql.catalog.<c>=io.unitycatalog.headrace.HeadraceCatalog`, `.uri`, `.token`,
 * `.deltaRestApi.enabled=false` (else Delta speaks a protocol of its own to the server). One instance per Spark session.
 *
 *   Spark ── HeadraceCatalog ── views, locations, refusals
 *                  └─ DeltaCatalog ── commits, then ── MetadataCatalog ── CatalogApi ── HTTP
 *
 * A table's data and metadata live in Delta's log; the server knows its name, place and a copy of its columns.
 * A new table is registered after its commit: a process killed in between leaves a folder that no name points to, never half a
 * table. Dropping removes the name; the server looks after the files.
 */
class HeadraceCatalog extends StagingTableCatalog with RelationCatalog with SupportsNamespaces with FunctionCatalog with Logging {
  private var catalog: String = _
  private var api: CatalogApi = _
  private var metadata: MetadataCatalog = _
  private var placement: TablePlacement = _
  private var delta: DeltaCatalog = _
  private var information: InformationSchema = _
  private var rest: RestClient = _
  private[headrace] var session: SparkSession = _

  override def initialize(name: String, options: CaseInsensitiveStringMap): Unit = {
    def required(key: String): String = Option(options.get(key)).filter(_.nonEmpty).getOrElse(
      throw new IllegalArgumentException(s"spark.sql.catalog.$name.$key is not set; Headrace's hosts set it for every task."))
    if (options.getBoolean("deltaRestApi.enabled", true)) throw new IllegalArgumentException(
      s"spark.sql.catalog.$name.deltaRestApi.enabled must be false: Headrace's server does not speak Delta's own catalog protocol.")
    session = SparkSession.active
    catalog = name
    val uri = required("uri").stripSuffix("/")
    rest = new RestClient(uri, required("token"), options.getLong("retryMs", RestClient.DefaultRetryMs))
    api = new CatalogApi(name, rest)
    information = new InformationSchema(name, rest)
    metadata = new MetadataCatalog(api)
    metadata.initialize(name, options)
    placement = new TablePlacement(name, metadata)
    delta = new NamedDeltaCatalog(metadata)
    delta.setDelegateCatalog(metadata)
    delta.initialize(name, options)
  }

  override def name(): String = catalog
  override def defaultNamespace(): Array[String] = Array("default")
  override def capabilities(): util.Set[TableCatalogCapability] =
    (delta.capabilities().asScala.toSet + TableCatalogCapability.SUPPORT_TABLE_CONSTRAINT).asJava

  // ── loading ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  override def loadTable(ident: Identifier): Table = if (InformationSchema.isIt(ident.namespace)) {
    information.find(ident.name).getOrElse(throw new NoSuchTableException(ident))
  } else {
    val table = delta.loadTable(ident)
    for (deltaTable <- Option(table).collect { case d: DeltaTableV2 => d }; name <- TableNames.wireName(ident)) {
      watch(deltaTable.path, name)
      catchUp(name, deltaTable)
    }
    table
  }

  override def loadTable(ident: Identifier, version: String): Table = delta.loadTable(ident, version)
  override def loadTable(ident: Identifier, timestamp: Long): Table = delta.loadTable(ident, timestamp)

  override def loadRelation(ident: Identifier): Relation = lookUp(ident) match {
    case Some(document) if TableDocuments.isView(document) => TableDocuments.toView(document)
    case _ => loadTable(ident).asInstanceOf[Relation]
  }

  /** None for what the server does not keep as a table. */
  private def lookUp(ident: Identifier) = if (InformationSchema.isIt(ident.namespace)) None else metadata.find(ident)

  override def loadView(ident: Identifier): View =
    lookUp(ident).filter(TableDocuments.isView).map(TableDocuments.toView).getOrElse(throw new NoSuchViewException(ident))

  override def tableExists(ident: Identifier): Boolean =
    if (InformationSchema.isIt(ident.namespace)) information.find(ident.name).isDefined
    else if (TableNames.wireName(ident).isDefined) metadata.find(ident).exists(!TableDocuments.isView(_)) else delta.tableExists(ident)

  override def viewExists(ident: Identifier): Boolean = lookUp(ident).exists(TableDocuments.isView)

  override def invalidateTable(ident: Identifier): Unit = TableNames.wireName(ident).foreach(api.forget)

  override def listTables(namespace: Array[String]): Array[Identifier] =
    listTableSummaries(namespace).map(_.identifier)

  override def listTableSummaries(namespace: Array[String]): Array[TableSummary] =
    listRelationSummaries(namespace).filterNot(_.tableType == TableSummary.VIEW_TABLE_TYPE)

  override def listRelationSummaries(namespace: Array[String]): Array[TableSummary] =
    if (InformationSchema.isIt(namespace))
      information.tableNames.map(name => TableSummary.of(Identifier.of(namespace, name), TableSummary.FOREIGN_TABLE_TYPE)).toArray
    else metadata.list(namespace).map { document =>
      TableSummary.of(Identifier.of(namespace, document.path("name").asText), document.path("table_type").asText)
    }.toArray

  override def listViews(namespace: Array[String]): Array[Identifier] =
    listRelationSummaries(namespace).filter(_.tableType == TableSummary.VIEW_TABLE_TYPE).map(_.identifier)

  // ── creating and replacing: DeltaCatalog does it, at the place found here ──────────────────────────────────────────────

  // Only the variants with Column keep identity and generated columns; Spark calls these, and falls back to StructType, which
  // loses both silently, where a catalog lacks them.

  override def createTable(
      ident: Identifier, columns: Array[Column], partitions: Array[Transform], statement: util.Map[String, String]): Table = {
    val properties = withDefaults(columns, placement.ofNew(ident, statement))
    if (placement.isDelta(properties)) delta.createTable(ident, columns, partitions, properties)
    else metadata.createTable(ident, if (columns.nonEmpty) columns else inferColumns(properties), partitions, properties)
    loadTable(ident)
  }

  override def stageCreate(
      ident: Identifier, columns: Array[Column], partitions: Array[Transform], statement: util.Map[String, String]): StagedTable =
    delta.stageCreate(ident, columns, partitions, withDefaults(columns, placement.requireDelta(ident, placement.ofNew(ident, statement))))

  override def stageReplace(
      ident: Identifier, columns: Array[Column], partitions: Array[Transform], statement: util.Map[String, String]): StagedTable =
    delta.stageReplace(ident, columns, partitions,
      withDefaults(columns, existingPlace(ident, statement).getOrElse(throw new NoSuchTableException(ident))))

  override def stageCreateOrReplace(
      ident: Identifier, columns: Array[Column], partitions: Array[Transform], statement: util.Map[String, String]): StagedTable =
    delta.stageCreateOrReplace(ident, columns, partitions,
      withDefaults(columns,
        existingPlace(ident, statement).getOrElse(placement.requireDelta(ident, placement.ofNew(ident, statement)))))

  override def createTable(ident: Identifier, table: TableInfo): Table =
    createTable(ident, table.columns, table.partitions, withConstraints(ident, table))

  override def stageCreate(ident: Identifier, table: TableInfo): StagedTable =
    stageCreate(ident, table.columns, table.partitions, withConstraints(ident, table))

  override def stageReplace(ident: Identifier, table: TableInfo): StagedTable =
    stageReplace(ident, table.columns, table.partitions, withConstraints(ident, table))

  override def stageCreateOrReplace(ident: Identifier, table: TableInfo): StagedTable =
    stageCreateOrReplace(ident, table.columns, table.partitions, withConstraints(ident, table))

  override def createTableLike(ident: Identifier, description: TableInfo, source: Table): Table = {
    refuseComputedColumns(ident, source)
    createTable(ident, description.columns, description.partitions, description.properties)
  }

  private def withConstraints(ident: Identifier, table: TableInfo): util.Map[String, String] =
    constraintsOf(ident, table.columns).withProperties(table.properties, table.constraints)

  private def constraintsOf(ident: Identifier, columns: Array[Column]) =
    new ConstraintWriter((catalog +: ident.namespace.toSeq :+ ident.name).map(_.toLowerCase), columns.toSeq.map(_.name), findParent(ident, _))

  /** Of the session's schema, where it names none. */
  private def findParent(child: Identifier, parent: Identifier) = {
    val current = session.sessionState.catalogManager
    val schema = if (current.currentCatalog.name == catalog) current.currentNamespace.head else child.namespace.head
    val name = ((parent.namespace.toSeq :+ parent.name) match {
      case Seq(table) => Seq(catalog, schema, table)
      case Seq(named, table) => Seq(catalog, named, table)
      case parts => parts
    }).map(_.toLowerCase)
    name -> (if (name.length != 3) None else new CatalogApi(name.head, rest).findTable(TableName(name(1), name(2))))
  }

  /** Delta wants to be told that a table has defaults, although its columns say so. */
  private def withDefaults(columns: Array[Column], properties: util.Map[String, String]): util.Map[String, String] = {
    if (columns.exists(_.defaultValue != null)) properties.putIfAbsent("delta.feature.allowColumnDefaults", "supported")
    properties
  }

  /** The place of a table about to be replaced; from here on this session follows the commits made there. */
  private def existingPlace(ident: Identifier, statement: util.Map[String, String]): Option[util.Map[String, String]] =
    placement.ofExisting(ident, statement).map { properties =>
      placement.requireDelta(ident, properties)
      TableNames.wireName(ident).foreach(watch(new Path(properties.get(TableCatalog.PROP_LOCATION)), _))
      properties
    }

  private def inferColumns(properties: util.Map[String, String]): Array[Column] = {
    val options = properties.asScala.collect {
      case (key, value) if key.startsWith(TableCatalog.OPTION_PREFIX) => key.stripPrefix(TableCatalog.OPTION_PREFIX) -> value
    }
    SparkInternals.columnsOf(session.read.format(properties.get(TableCatalog.PROP_PROVIDER)).options(options)
      .load(properties.get(TableCatalog.PROP_LOCATION)).schema)
  }

  /** Spark hands over the source's columns without what computes them: the copy would quietly hold NULLs. */
  private def refuseComputedColumns(ident: Identifier, source: Table): Unit = source match {
    case table: DeltaTableV2 =>
      table.initialSnapshot.schema.fields.filter(f => HeadraceCatalog.ComputedColumnKeys.exists(f.metadata.contains)).foreach { field =>
        throw new UnsupportedOperationException(
          s"CREATE TABLE ${ident.name} LIKE … is not supported for a source with identity or generated columns (${field.name}): " +
            "write the columns out in a CREATE TABLE.")
      }
    case _ =>
  }

  // ── changing and dropping ──────────────────────────────────────────────────────────────────────────────────────────────

  override def alterTable(ident: Identifier, changes: TableChange*): Table = {
    changes.foreach {
      case set: TableChange.SetProperty if set.property == TableCatalog.PROP_LOCATION => throw new UnsupportedOperationException(
        s"ALTER TABLE … SET LOCATION is not supported in catalog $catalog: drop the external table (its files stay) and create it at the new location.")
      case set: TableChange.SetProperty => placement.refuseProperty(ident, set.property)
      case _ =>
    }
    loadTable(ident) // so that this session follows the commits that Delta makes now
    delta.alterTable(ident, changes.map {
      case add: TableChange.AddConstraint =>
        val (key, value) = constraintsOf(ident, loadTable(ident).columns).toProperty(add.constraint, None)
        TableChange.setProperty(key, value)
      case drop: TableChange.DropConstraint => TableChange.removeProperty(TableConstraints.Prefix + drop.name)
      case change => change
    }: _*)
    loadTable(ident)
  }

  override def dropTable(ident: Identifier): Boolean = metadata.dropTable(ident)
  override def purgeTable(ident: Identifier): Boolean = metadata.purgeTable(ident)
  override def renameTable(from: Identifier, to: Identifier): Unit = metadata.renameTable(from, to)

  // ── views ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  override def createView(ident: Identifier, view: View): View = {
    val name = TableNames.requireWireName(catalog, ident)
    try {
      if (api.createTable(name, TableDocuments.ofView(view)).isEmpty) throw new ViewAlreadyExistsException(ident)
    } catch { case e: ApiRefusal if e.isMissing => throw Refused.missingSchema(catalog, name.schema) }
    loadView(ident)
  }

  override def replaceView(ident: Identifier, view: View): View = {
    if (!viewExists(ident)) throw new NoSuchViewException(ident)
    val changes = TableDocuments.ofView(view)
    changes.remove("table_type") // the API does not change a relation's kind
    if (!api.updateTable(TableNames.wireName(ident).get, changes)) throw new NoSuchViewException(ident)
    loadView(ident)
  }

  override def dropView(ident: Identifier): Boolean = metadata.dropView(ident)
  override def renameView(from: Identifier, to: Identifier): Unit = metadata.renameTable(from, to)

  // ── schemas ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  override def listNamespaces(): Array[Array[String]] =
    Array(InformationSchema.Name) +: (if (catalog == Metastore.SystemCatalog) Array.empty else metadata.listNamespaces())
  override def listNamespaces(namespace: Array[String]): Array[Array[String]] =
    if (namespace.isEmpty) listNamespaces() else if (InformationSchema.isIt(namespace)) Array.empty else metadata.listNamespaces(namespace)
  override def namespaceExists(namespace: Array[String]): Boolean =
    InformationSchema.isIt(namespace) || metadata.namespaceExists(namespace)
  override def loadNamespaceMetadata(namespace: Array[String]): util.Map[String, String] =
    if (InformationSchema.isIt(namespace)) util.Map.of(SupportsNamespaces.PROP_COMMENT, "What the catalog holds; made by the server.")
    else metadata.loadNamespaceMetadata(namespace)
  override def createNamespace(namespace: Array[String], properties: util.Map[String, String]): Unit = metadata.createNamespace(namespace, properties)
  override def alterNamespace(namespace: Array[String], changes: NamespaceChange*): Unit = metadata.alterNamespace(namespace, changes: _*)
  override def dropNamespace(namespace: Array[String], cascade: Boolean): Boolean = metadata.dropNamespace(namespace, cascade)

  // ── functions: none yet, but SHOW FUNCTIONS and a search for one must find that ────────────────────────────────────────

  override def listFunctions(namespace: Array[String]): Array[Identifier] = Array.empty
  override def loadFunction(ident: Identifier): UnboundFunction = throw new NoSuchFunctionException(ident)
  override def functionExists(ident: Identifier): Boolean = false

  // ── following Delta's log ──────────────────────────────────────────────────────────────────────────────────────────────

  private def watch(folder: Path, name: TableName): Unit = CommitFollower.watch(folder.toUri.getPath, this, name)

  /** Repairs what a commit could not tell the server, or what a writer that knows only the path has changed. */
  private def catchUp(name: TableName, table: DeltaTableV2): Unit =
    try {
      if (table.initialSnapshot.version >= 0) follow(name, DeltaFacts.ofSnapshot(table.initialSnapshot))
    } catch {
      // A log that cannot be read, or no right to write metadata, is no reason to fail here: the statement will say it.
      case NonFatal(e) => logInfo(s"$catalog.${name.schema}.${name.table}: metadata not brought up to date: ${e.getMessage}")
    }

  /** Writes a table's metadata to the server if it differs. A short try: neither a commit nor a SELECT waits for it. */
  private[headrace] def follow(name: TableName, facts: TableFacts): Unit =
    api.findTable(name, HeadraceCatalog.FollowMs).filterNot(TableDocuments.isCurrent(_, facts)).foreach { _ =>
      api.updateTable(name, TableDocuments.ofFacts(facts), HeadraceCatalog.FollowMs)
    }
}

/** Delta's catalog looks a table up in Spark's session catalog first, where `default.t` may be quite another table. */
private class NamedDeltaCatalog(metadata: MetadataCatalog) extends DeltaCatalog {
  override def getExistingTableIfExists(
      table: TableIdentifier, ident: Option[Identifier], operation: TableCreationModes.CreationMode): Option[CatalogTable] =
    if (operation == TableCreationModes.Create || ident.forall(isPathIdentifier)) None
    else ident.flatMap(metadata.findDelta)
}

object HeadraceCatalog {
  private val FollowMs = 2000L
  private val ComputedColumnKeys = Seq("delta.identity.start", "delta.generationExpression")
}
