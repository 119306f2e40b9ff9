package io.unitycatalog.headrace

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import io.unitycatalog.headrace.InformationSchema.Wanted
import org.apache.spark.sql.types.{DataType, StructField, StructType}
import org.apache.spark.unsafe.types.UTF8String

/** One table: its columns, and its rows as Spark's own values. */
private case class InformationShape(schema: StructType, read: (InformationSchema, Wanted) => Seq[Seq[Any]])

/** The columns have the names of the hosted product's, by which clients ask for them. */
private object InformationTables {
  private type Reader = JsonNode => Any

  private val stamps: Seq[(String, Reader)] = Seq(
    "created timestamp" -> instant("created_at"), "created_by" -> field("created_by"),
    "last_altered timestamp" -> instant("updated_at"), "last_altered_by" -> field("updated_by"))

  val all: Map[String, InformationShape] = Map(
    "catalogs" -> shape(_.catalogs(_))(
      Seq("catalog_name" -> field("name"), "catalog_owner" -> field("owner"), "comment" -> field("comment")) ++ stamps),
    "schemata" -> shape(_.schemas(_))(
      Seq("catalog_name" -> field("catalog_name"), "schema_name" -> field("name"), "schema_owner" -> field("owner"), "comment" -> field("comment")) ++ stamps),
    "tables" -> shape(_.tables(_, withColumns = false))(
      tableName ++ Seq[(String, Reader)](
        "table_type" -> field("table_type"),
        "is_insertable_into" -> (table => text(if (TableDocuments.isView(table)) "NO" else "YES")),
        "commit_action" -> (_ => text("PRESERVE")), "table_owner" -> field("owner"), "comment" -> field("comment")) ++ stamps ++
        Seq("data_source_format" -> field("data_source_format"), "storage_path" -> field("storage_location"))),
    "views" -> shape((source, wanted) => source.tables(wanted, withColumns = false).filter(TableDocuments.isView))(
      tableName ++ Seq[(String, Reader)](
        "view_definition" -> field("view_definition"), "check_option" -> (_ => text("NONE")),
        "is_updatable" -> no, "is_insertable_into" -> no, "is_materialized" -> no)),
    "columns" -> InformationShape(schemaOf(columnFields.map(_._1)), (source, wanted) =>
      source.tables(wanted, withColumns = true).flatMap { table =>
        val fields = schemaFields(table)
        table.path("columns").asScala.zipWithIndex.map { case (column, index) =>
          columnFields.map(_._2(ColumnOf(table, column, index, fields.get(column.path("name").asText))))
        }
      }),
    "table_constraints" -> shape(constraintsOf)(Seq(
      "constraint_catalog" -> field("catalog_name"), "constraint_schema" -> field("schema_name"), "constraint_name" -> field("constraint_name"),
      "table_catalog" -> field("catalog_name"), "table_schema" -> field("schema_name"), "table_name" -> field("name"),
      "constraint_type" -> field("constraint_type"), "is_deferrable" -> no, "initially_deferred" -> no, "enforced" -> field("enforced"))),
    "volumes" -> shape(_.volumes(_))(
      Seq[(String, Reader)](
        "volume_catalog" -> field("catalog_name"), "volume_schema" -> field("schema_name"), "volume_name" -> field("name"),
        "volume_type" -> field("volume_type"), "volume_owner" -> field("owner"), "comment" -> field("comment")) ++ stamps :+
        ("storage_location" -> field("storage_location"))),
    "table_privileges" -> empty("grantor grantee table_catalog table_schema table_name privilege_type is_grantable inherited_from"),
    "schema_privileges" -> empty("grantor grantee catalog_name schema_name privilege_type is_grantable inherited_from"),
    "catalog_privileges" -> empty("grantor grantee catalog_name privilege_type is_grantable"),
    "volume_privileges" -> empty("grantor grantee volume_catalog volume_schema volume_name privilege_type is_grantable inherited_from"),
    "routines" -> empty("specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name " +
      "routine_type data_type routine_definition comment"),
    "key_column_usage" -> shape(keyColumnsOf)(constraintName ++ tableName ++ Seq[(String, Reader)](
      "column_name" -> field("column_name"), "ordinal_position int" -> (integer(_, "ordinal_position")),
      "position_in_unique_constraint int" -> (integer(_, "position_in_unique_constraint")))),
    "referential_constraints" -> shape(foreignKeysOf)(constraintName ++ Seq[(String, Reader)](
      "unique_constraint_catalog" -> field("unique_catalog"), "unique_constraint_schema" -> field("unique_schema"),
      "unique_constraint_name" -> field("unique_name"), "match_option" -> (_ => text("FULL")),
      "update_rule" -> (_ => text("NO ACTION")), "delete_rule" -> (_ => text("NO ACTION")))),
    "catalog_tags" -> empty("catalog_name tag_name tag_value"),
    "schema_tags" -> empty("catalog_name schema_name tag_name tag_value"),
    "table_tags" -> empty("catalog_name schema_name table_name tag_name tag_value"),
    "column_tags" -> empty("catalog_name schema_name table_name column_name tag_name tag_value"),
    "column_masks" -> empty("table_catalog table_schema table_name column_name mask_name using_columns"),
    "row_filters" -> empty("table_catalog table_schema table_name filter_name target_columns"))

  private def tableName: Seq[(String, Reader)] =
    Seq("table_catalog" -> field("catalog_name"), "table_schema" -> field("schema_name"), "table_name" -> field("name"))

  private def constraintName: Seq[(String, Reader)] = Seq(
    "constraint_catalog" -> field("catalog_name"), "constraint_schema" -> field("schema_name"), "constraint_name" -> field("constraint_name"))

  /** A column, in the document of its table; `field` is Spark's own word on it, which says what computes it. */
  private case class ColumnOf(table: JsonNode, column: JsonNode, index: Int, field: Option[StructField]) {
    def meta(key: String): Any = field.filter(_.metadata.contains(key)).fold(null: Any)(f => text(f.metadata.getString(key)))
    def number(key: String): Any = field.filter(_.metadata.contains(key)).fold(null: Any)(f => text(f.metadata.getLong(key).toString))
    def has(key: String): Boolean = field.exists(_.metadata.contains(key))
  }

  private def columnFields: Seq[(String, ColumnOf => Any)] = Seq(
    "table_catalog" -> (c => field("catalog_name")(c.table)),
    "table_schema" -> (c => field("schema_name")(c.table)),
    "table_name" -> (c => field("name")(c.table)),
    "column_name" -> (c => field("name")(c.column)),
    "ordinal_position int" -> (c => c.column.path("position").asInt(c.index) + 1),
    "column_default" -> (_.meta("CURRENT_DEFAULT")),
    "is_nullable" -> (c => text(if (c.column.path("nullable").asBoolean(true)) "YES" else "NO")),
    "full_data_type" -> (c => field("type_text")(c.column)),
    "data_type" -> (c => field("type_name")(c.column)),
    "character_maximum_length bigint" -> (_ => null),
    "numeric_precision int" -> (c => integer(c.column, "type_precision")),
    "numeric_scale int" -> (c => integer(c.column, "type_scale")),
    "is_identity" -> (c => text(if (c.has("delta.identity.start")) "YES" else "NO")),
    "identity_generation" -> (c =>
      if (!c.has("delta.identity.start")) null
      else text(if (c.field.exists(_.metadata.getBoolean("delta.identity.allowExplicitInsert"))) "BY DEFAULT" else "ALWAYS")),
    "identity_start" -> (_.number("delta.identity.start")),
    "identity_increment" -> (_.number("delta.identity.step")),
    "is_generated" -> (c => text(if (c.has("delta.generationExpression")) "ALWAYS" else "NEVER")),
    "generation_expression" -> (_.meta("delta.generationExpression")),
    "is_updatable" -> (c => text(if (TableDocuments.isView(c.table)) "NO" else "YES")),
    "partition_index int" -> (c => integer(c.column, "partition_index")),
    "partition_ordinal_position int" -> (c => integer(c.column, "partition_index")),
    "comment" -> (c => field("comment")(c.column)))

  private def constraintsOf(source: InformationSchema, wanted: Wanted): Seq[JsonNode] =
    source.tables(wanted, withColumns = true).flatMap { table =>
      table.path("properties").properties.asScala.toSeq.flatMap { property =>
        val (key, value) = (property.getKey, property.getValue.asText)
        val isCheck = key.startsWith("delta.constraints.")
        Option.when(isCheck || key.startsWith(TableConstraints.Prefix)) {
          val kind = if (isCheck) "CHECK" else if (value.startsWith("FOREIGN")) "FOREIGN KEY" else "PRIMARY KEY"
          table.deepCopy[ObjectNode]()
            .put("constraint_name", key.split('.').last).put("constraint_type", kind).put("enforced", if (isCheck) "YES" else "NO")
        }
      }
    }

  private def keysOf(source: InformationSchema, wanted: Wanted): Seq[(ObjectNode, TableKey)] =
    source.tables(wanted, withColumns = true).flatMap { table =>
      TableConstraints.keysOf(table).map(key => table.deepCopy[ObjectNode]().put("constraint_name", key.name) -> key)
    }

  private def keyColumnsOf(source: InformationSchema, wanted: Wanted): Seq[JsonNode] = keysOf(source, wanted).flatMap { case (found, key) =>
    val primary = key.parent.flatMap { case (table, _) => source.primaryKey(table) }.map(_.columns.map(_.toLowerCase))
    key.columns.zipWithIndex.map { case (column, index) =>
      val row = found.deepCopy().put("column_name", column).put("ordinal_position", index + 1)
      for ((_, columns) <- key.parent; at = primary.getOrElse(columns.map(_.toLowerCase)).indexOf(columns(index).toLowerCase) if at >= 0)
        row.put("position_in_unique_constraint", at + 1)
      row
    }
  }

  private def foreignKeysOf(source: InformationSchema, wanted: Wanted): Seq[JsonNode] =
    for ((found, key) <- keysOf(source, wanted); (table, _) <- key.parent) yield {
      val row = found.deepCopy().put("unique_catalog", table.head).put("unique_schema", table(1))
      source.primaryKey(table).fold(row)(primary => row.put("unique_name", primary.name))
    }

  private def schemaFields(table: JsonNode): Map[String, StructField] = {
    val exact = table.path("headrace").path("schema_json").asText("")
    // One table whose document another tool has spoilt must not hide all others.
    try { if (exact.isEmpty) Map.empty else DataType.fromJson(exact).asInstanceOf[StructType].fields.map(f => f.name -> f).toMap }
    catch { case NonFatal(_) => Map.empty }
  }

  private def shape(find: (InformationSchema, Wanted) => Seq[JsonNode])(fields: Seq[(String, Reader)]): InformationShape =
    InformationShape(schemaOf(fields.map(_._1)), (source, wanted) => find(source, wanted).map(found => fields.map(_._2(found))))

  private def empty(names: String): InformationShape = InformationShape(schemaOf(names.split(' ').toSeq), (_, _) => Nil)

  /** `name` or `name type`; texts, where no type is said. */
  private def schemaOf(names: Seq[String]): StructType =
    StructType(names.map(_.split(' ')).map(words => StructField(words.head, DataType.fromDDL(words.lift(1).getOrElse("string")))))

  private def field(name: String): Reader = found =>
    if (found.path(name).isTextual) text(found.path(name).asText) else null

  private def instant(name: String): Reader = found =>
    if (found.path(name).isNumber) found.path(name).asLong * 1000L else null // microseconds

  private def integer(found: JsonNode, name: String): Any = if (found.path(name).isNumber) found.path(name).asInt else null

  private def no: Reader = _ => text("NO")

  private def text(value: String): UTF8String = UTF8String.fromString(value)
}
