package io.unitycatalog.headrace

import java.util

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.catalog._
import org.apache.spark.sql.connector.read.{LocalScan, Scan, ScanBuilder, SupportsPushDownFilters}
import org.apache.spark.sql.headrace.SparkInternals
import org.apache.spark.sql.sources.{And, EqualTo, Filter, In}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/** `<catalog>.information_schema`: what the server knows, as tables that are read at each query. `system`'s speaks of all catalogs. */
class InformationSchema(catalog: String, rest: RestClient) {
  import InformationSchema._

  def tableNames: Seq[String] = InformationTables.all.keys.toSeq.sorted

  def find(name: String): Option[Table] =
    InformationTables.all.get(name.toLowerCase).map(new InformationTable(catalog, name.toLowerCase, _, this))

  /** The catalogs that a query asks for. */
  private[headrace] def catalogs(wanted: Wanted): Seq[JsonNode] =
    if (catalog != Metastore.SystemCatalog) rest.find(s"${CatalogApi.Root}/catalogs/${RestClient.encode(catalog)}").toSeq
    else rest.pages(s"${CatalogApi.Root}/catalogs", "catalogs").filter(c => wanted.takesCatalog(c.path("name").asText))

  private[headrace] def schemas(wanted: Wanted): Seq[JsonNode] = catalogs(wanted).flatMap { found =>
    val name = found.path("name").asText
    new CatalogApi(name, rest).listSchemas().filter(s => wanted.takesSchema(s.path("name").asText))
  }

  /** A schema that is dropped meanwhile has none. */
  private[headrace] def tables(wanted: Wanted, withColumns: Boolean): Seq[JsonNode] = schemas(wanted).flatMap { schema =>
    val api = new CatalogApi(schema.path("catalog_name").asText, rest)
    try api.listTables(schema.path("name").asText, withColumns) catch { case e: ApiRefusal if e.isMissing => Nil }
  }

  /** Of a parent table, which may be anywhere; None for one that is gone. */
  private[headrace] def primaryKey(table: Seq[String]): Option[TableKey] =
    rest.find(s"${CatalogApi.Root}/tables/${RestClient.encode(table.mkString("."))}")
      .flatMap(TableConstraints.keysOf(_).find(TableConstraints.isPrimary))

  private[headrace] def volumes(wanted: Wanted): Seq[JsonNode] = schemas(wanted).flatMap { schema =>
    val place = s"catalog_name=${RestClient.encode(schema.path("catalog_name").asText)}&schema_name=${RestClient.encode(schema.path("name").asText)}"
    try rest.pages(s"${CatalogApi.Root}/volumes?$place", "volumes") catch { case e: ApiRefusal if e.isMissing => Nil }
  }
}

object InformationSchema {
  val Name = "information_schema"

  def isIt(namespace: Array[String]): Boolean = namespace.length == 1 && namespace.head.equalsIgnoreCase(Name)

  /** What a query's filters say of catalogs and schemas: None is all. Only to ask the server for less: Spark filters again. */
  case class Wanted(catalogs: Option[Set[String]], schemas: Option[Set[String]]) {
    def takesCatalog(name: String): Boolean = catalogs.forall(_(name))
    def takesSchema(name: String): Boolean = schemas.forall(_(name))
  }
}

private class InformationTable(catalog: String, tableName: String, shape: InformationShape, source: InformationSchema)
    extends Table with SupportsRead {
  override def name(): String = s"$catalog.${InformationSchema.Name}.$tableName"
  override def columns(): Array[Column] = SparkInternals.columnsOf(shape.schema)
  override def capabilities(): util.Set[TableCapability] = Set(TableCapability.BATCH_READ).asJava
  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder = new InformationScan(shape, source)
}

private class InformationScan(shape: InformationShape, source: InformationSchema)
    extends ScanBuilder with SupportsPushDownFilters with LocalScan {
  private var filters: Array[Filter] = Array.empty

  override def pushFilters(wanted: Array[Filter]): Array[Filter] = { filters = wanted; wanted }
  override def pushedFilters(): Array[Filter] = Array.empty
  override def build(): Scan = this
  override def readSchema(): StructType = shape.schema
  override def rows(): Array[InternalRow] =
    shape.read(source, InformationSchema.Wanted(valuesOf("catalog"), valuesOf("schema"))).map(InternalRow.fromSeq).toArray

  /** The values that a column `table_schema`, `schema_name` … can have; `schema_owner` says nothing of the name. */
  private def valuesOf(level: String): Option[Set[String]] = {
    def isLevel(column: String) = {
      val lower = column.toLowerCase
      lower == s"${level}_name" || lower.endsWith(s"_$level")
    }
    def values(filter: Filter): Option[Set[String]] = filter match {
      case EqualTo(column, value: String) if isLevel(column) => Some(Set(value))
      case In(column, found) if isLevel(column) => Some(found.collect { case text: String => text }.toSet)
      case And(left, right) => Seq(values(left), values(right)).flatten.reduceOption(_ & _)
      case _ => None
    }
    filters.flatMap(values(_)).reduceOption(_ & _)
  }
}
