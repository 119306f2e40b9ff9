package io.unitycatalog.headrace

import java.security.MessageDigest
import java.util

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.{ArrayNode, ObjectNode}
import org.apache.spark.sql.catalyst.TableIdentifier
import org.apache.spark.sql.catalyst.catalog.{CatalogStorageFormat, CatalogTable, CatalogTableType, CatalogUtils}
import org.apache.spark.sql.connector.catalog.{SupportsNamespaces, TableCatalog, View}
import org.apache.spark.sql.types._

/** What a table's own metadata (Delta's log, or the CREATE statement of another format) says, as far as the catalog shows it. */
case class TableFacts(schema: StructType, partitionColumns: Seq[String], properties: Map[String, String], comment: Option[String])

/**
 * Wire documents of the Unity Catalog API ↔ Spark's descriptions. Pure: no requests.
 * `headrace.schema_json` is Spark's own schema, exact; `columns` says the same for other readers.
 */
object TableDocuments {
  private val json = RestClient.json

  def isView(document: JsonNode): Boolean = document.path("table_type").asText == "VIEW"

  def isManaged(document: JsonNode): Boolean = document.path("table_type").asText == "MANAGED"

  def formatOf(document: JsonNode): String = document.path("data_source_format").asText("delta").toLowerCase

  /** Everything that follows a table's own metadata, for POST and PATCH alike. */
  def ofFacts(facts: TableFacts): ObjectNode = {
    val schema = withoutHighWaterMarks(facts.schema)
    val document = json.createObjectNode()
    document.set[JsonNode]("columns", columnInfos(schema, facts.partitionColumns))
    document.set[JsonNode]("properties", ofMap(facts.properties))
    document.put("comment", facts.comment.getOrElse(""))
    document.putObject("headrace").put("schema_json", schema.json).put("metadata_digest", digest(facts))
    document
  }

  /** Whether the server's document was made from these facts: compared by digest, so whatever a server normalises is harmless. */
  def isCurrent(document: JsonNode, facts: TableFacts): Boolean =
    document.path("headrace").path("metadata_digest").asText == digest(facts)

  /** A bare path is a file of the machine, whatever Spark's default file system is. */
  def locationOf(document: JsonNode): String = withScheme(document.path("storage_location").asText)

  def withScheme(location: String): String = if (location.startsWith("/")) s"file:$location" else location

  def toCatalogTable(catalog: String, name: TableName, document: JsonNode): CatalogTable = {
    val (options, properties) = stringMap(document.path("properties")).partition(_._1.startsWith(TableCatalog.OPTION_PREFIX))
    val isDelta = formatOf(document) == "delta"
    CatalogTable(
      identifier = TableIdentifier(name.table, Some(name.schema), Some(catalog)),
      tableType = if (isManaged(document)) CatalogTableType.MANAGED else CatalogTableType.EXTERNAL,
      storage = CatalogStorageFormat.empty.copy(
        locationUri = Some(CatalogUtils.stringToURI(locationOf(document))),
        properties = options.map { case (key, value) => key.stripPrefix(TableCatalog.OPTION_PREFIX) -> value }),
      schema = schemaOf(document),
      provider = Some(formatOf(document)),
      // Delta reads its partitioning from its log and wants none here; a table of files has no other source.
      partitionColumnNames = if (isDelta) Nil else partitionColumnsOf(document),
      owner = document.path("owner").asText(""),
      createTime = document.path("created_at").asLong(0L),
      properties = properties,
      comment = textOf(document, "comment"),
      tracksPartitionsInCatalog = false)
  }

  def ofView(view: View): ObjectNode = {
    val document = json.createObjectNode().put("table_type", "VIEW").put("view_definition", view.queryText)
    document.set[JsonNode]("columns", columnInfos(view.schema, Nil))
    val properties = view.properties.asScala.toMap
    document.set[JsonNode]("properties", ofMap(properties -- ReservedProperties))
    document.put("comment", properties.getOrElse(TableCatalog.PROP_COMMENT, ""))
    val details = document.putObject("headrace").put("schema_json", view.schema.json).putObject("view")
    details.put("current_catalog", view.currentCatalog).put("schema_mode", view.schemaMode)
    details.set[JsonNode]("current_namespace", ofTexts(view.currentNamespace))
    details.set[JsonNode]("query_column_names", ofTexts(view.queryColumnNames))
    details.set[JsonNode]("sql_configs", ofMap(view.sqlConfigs.asScala.toMap))
    document
  }

  def toView(document: JsonNode): View = {
    val details = document.path("headrace").path("view")
    val builder = new View.Builder()
    // The general setters return the base builder, so they come first and `builder` goes on.
    builder.withSchema(schemaOf(document))
    builder.withProperties(stringMap(document.path("properties")).asJava)
    builder.withTableType("VIEW")
    textOf(document, "comment").foreach(builder.withComment)
    textOf(document, "owner").foreach(builder.withOwner)
    builder
      .withQueryText(document.path("view_definition").asText)
      .withCurrentCatalog(textOf(details, "current_catalog").orNull)
      .withCurrentNamespace(texts(details.path("current_namespace")))
      .withSqlConfigs(stringMap(details.path("sql_configs")).asJava)
      .withSchemaMode(textOf(details, "schema_mode").orNull)
      .withQueryColumnNames(texts(details.path("query_column_names")))
      .build()
  }

  def ofNamespaceProperties(properties: Map[String, String]): ObjectNode = {
    val document = json.createObjectNode()
    properties.get(SupportsNamespaces.PROP_COMMENT).foreach(document.put("comment", _))
    properties.get(SupportsNamespaces.PROP_LOCATION).foreach(document.put("storage_root", _))
    document.set[JsonNode]("properties", ofMap(properties -- ReservedProperties))
    document
  }

  def toNamespaceProperties(document: JsonNode): util.Map[String, String] = {
    val found = Seq(
      SupportsNamespaces.PROP_COMMENT -> textOf(document, "comment"),
      SupportsNamespaces.PROP_LOCATION -> textOf(document, "storage_root").orElse(textOf(document, "storage_location")),
      SupportsNamespaces.PROP_OWNER -> textOf(document, "owner"))
    (stringMap(document.path("properties")) ++ found.collect { case (key, Some(value)) => key -> value }).asJava
  }

  /** Columns that a view or table of ours carries exactly, or, when another tool made the table, what `columns` tells. */
  private def schemaOf(document: JsonNode): StructType = textOf(document.path("headrace"), "schema_json") match {
    case Some(schemaJson) => DataType.fromJson(schemaJson).asInstanceOf[StructType]
    case None =>
      StructType(document.path("columns").asScala.toSeq.map { column =>
        val field = StructField(column.path("name").asText, typeOf(column), column.path("nullable").asBoolean(true))
        textOf(column, "comment").fold(field)(field.withComment)
      })
  }

  private def typeOf(column: JsonNode): DataType = DataType.fromDDL(column.path("type_text").asText("string"))

  private def partitionColumnsOf(document: JsonNode): Seq[String] =
    document.path("columns").asScala.toSeq
      .filter(_.path("partition_index").isNumber).sortBy(_.path("partition_index").asInt).map(_.path("name").asText)

  private def columnInfos(schema: StructType, partitionColumns: Seq[String]): ArrayNode = {
    val columns = json.createArrayNode()
    schema.fields.zipWithIndex.foreach { case (field, position) =>
      val column = columns.addObject()
        .put("name", field.name)
        .put("type_text", field.dataType.catalogString)
        .put("type_name", typeName(field.dataType))
        .put("type_json", json.readTree(StructType(Seq(field)).json).path("fields").path(0).toString)
        .put("position", position)
        .put("nullable", field.nullable)
      field.getComment().foreach(column.put("comment", _))
      val partitionIndex = partitionColumns.indexWhere(_.equalsIgnoreCase(field.name))
      if (partitionIndex >= 0) column.put("partition_index", partitionIndex)
      field.dataType match {
        case decimal: DecimalType => column.put("type_precision", decimal.precision).put("type_scale", decimal.scale)
        case _ =>
      }
    }
    columns
  }

  /** The API's ColumnTypeName; its list is fixed, so what it does not name is USER_DEFINED_TYPE. */
  private def typeName(dataType: DataType): String = dataType match {
    case ByteType => "BYTE"
    case ShortType => "SHORT"
    case IntegerType => "INT"
    case LongType => "LONG"
    case FloatType => "FLOAT"
    case DoubleType => "DOUBLE"
    case BooleanType => "BOOLEAN"
    case BinaryType => "BINARY"
    case DateType => "DATE"
    case TimestampType => "TIMESTAMP"
    case TimestampNTZType => "TIMESTAMP_NTZ"
    case NullType => "NULL"
    case VariantType => "VARIANT"
    case _: CharType => "CHAR"
    case _: StringType | _: VarcharType => "STRING"
    case _: DecimalType => "DECIMAL"
    case _: ArrayType => "ARRAY"
    case _: MapType => "MAP"
    case _: StructType => "STRUCT"
    case _: YearMonthIntervalType | _: DayTimeIntervalType | CalendarIntervalType => "INTERVAL"
    case _ => "USER_DEFINED_TYPE"
  }

  /** An identity column's high-water mark moves with every INSERT; the catalog does not follow it, or each INSERT cost a request. */
  private def withoutHighWaterMarks(schema: StructType): StructType = StructType(schema.fields.map { field =>
    if (!field.metadata.contains(HighWaterMark)) field
    else field.copy(metadata = new MetadataBuilder().withMetadata(field.metadata).remove(HighWaterMark).build())
  })

  private def digest(facts: TableFacts): String = {
    val text = Seq(
      withoutHighWaterMarks(facts.schema).json,
      facts.partitionColumns.mkString("\u0000"),
      facts.properties.toSeq.sorted.mkString("\u0000"),
      facts.comment.getOrElse("")).mkString("\u0001")
    MessageDigest.getInstance("SHA-256").digest(text.getBytes("UTF-8")).take(12).map("%02x".format(_)).mkString
  }

  private def textOf(document: JsonNode, field: String): Option[String] =
    Some(document.path(field)).filter(_.isTextual).map(_.asText).filter(_.nonEmpty)

  private def stringMap(document: JsonNode): Map[String, String] =
    document.properties().asScala.map(entry => entry.getKey -> entry.getValue.asText).toMap

  private def texts(document: JsonNode): Array[String] = document.asScala.map(_.asText).toArray

  private def ofMap(map: Map[String, String]): ObjectNode = {
    val document = json.createObjectNode()
    map.foreach { case (key, value) => document.put(key, value) }
    document
  }

  private def ofTexts(values: Array[String]): ArrayNode = {
    val document = json.createArrayNode()
    values.foreach(value => document.add(value))
    document
  }

  private val HighWaterMark = "delta.identity.highWaterMark"

  /** Spark's way of passing these is as properties; the API has fields for them, or they are computed. */
  val ReservedProperties: Set[String] = Set(
    TableCatalog.PROP_COMMENT, TableCatalog.PROP_LOCATION, TableCatalog.PROP_OWNER, TableCatalog.PROP_PROVIDER,
    TableCatalog.PROP_EXTERNAL, TableCatalog.PROP_IS_MANAGED_LOCATION, TableCatalog.PROP_TABLE_TYPE)
}
