package io.unitycatalog.headrace

import org.apache.spark.sql.catalyst.catalog.CatalogTable
import org.apache.spark.sql.delta.catalog.DeltaTableV2
import org.apache.spark.sql.delta.skipping.clustering.ClusteringColumnInfo
import org.apache.spark.sql.types.{StructField, StructType}

/** A Delta table in words: what its log says, as a statement that makes another one like it. */
object TableStatements {
  /** The table as Spark describes tables of its own, with the columns and properties of the log. */
  def described(table: DeltaTableV2): CatalogTable = {
    val facts = DeltaFacts.ofSnapshot(table.initialSnapshot)
    table.catalogTable.get.copy(
      schema = facts.schema, partitionColumnNames = facts.partitionColumns, properties = facts.properties, comment = facts.comment)
  }

  def createStatement(name: Seq[String], table: DeltaTableV2): String = {
    val facts = DeltaFacts.ofSnapshot(table.initialSnapshot)
    val constraints = facts.properties.toSeq.sorted.collect {
      case (key, text) if key.startsWith(CheckPrefix) => s"CONSTRAINT ${quoted(key.stripPrefix(CheckPrefix))} CHECK ($text)"
      case (key, text) if key.startsWith(TableConstraints.Prefix) => s"CONSTRAINT ${quoted(key.stripPrefix(TableConstraints.Prefix))} $text"
    }
    val clustering = ClusteringColumnInfo.extractLogicalNames(table.initialSnapshot)
    val properties = facts.properties.toSeq.sorted.filterNot { case (key, _) =>
      key.startsWith(CheckPrefix) || key.startsWith(TableConstraints.Prefix) || key.startsWith("delta.min") || key.startsWith("delta.feature.clustering")
    }
    val isExternal = table.catalogTable.forall(_.tableType.name == "EXTERNAL")
    Seq(
      s"CREATE TABLE ${name.map(quoted).mkString(".")} (${(columns(facts.schema) ++ constraints).mkString("\n  ", ",\n  ", "")})",
      "USING delta") ++
      Option.when(facts.partitionColumns.nonEmpty)(s"PARTITIONED BY (${facts.partitionColumns.map(quoted).mkString(", ")})") ++
      Option.when(clustering.nonEmpty)(s"CLUSTER BY (${clustering.mkString(", ")})") ++
      facts.comment.map(comment => s"COMMENT ${text(comment)}") ++
      Option.when(isExternal)(s"LOCATION ${text(table.path.toString)}") ++
      Option.when(properties.nonEmpty)(
        properties.map { case (key, value) => s"  ${text(key)} = ${text(value)}" }.mkString("TBLPROPERTIES (\n", ",\n", ")"))
  }.mkString("\n") + "\n"

  private def columns(schema: StructType): Seq[String] = schema.fields.toSeq.map { field =>
    (Seq(quoted(field.name), field.dataType.sql.replace(" COLLATE UTF8_BINARY", "")) ++ computed(field) ++
      Option.when(!field.nullable)("NOT NULL") ++ field.getComment().map(comment => s"COMMENT ${text(comment)}")).mkString(" ")
  }

  private def computed(field: StructField): Option[String] = {
    val metadata = field.metadata
    if (metadata.contains("delta.identity.start")) {
      val kind = if (metadata.getBoolean("delta.identity.allowExplicitInsert")) "BY DEFAULT" else "ALWAYS"
      Some(s"GENERATED $kind AS IDENTITY (START WITH ${metadata.getLong("delta.identity.start")} INCREMENT BY ${metadata.getLong("delta.identity.step")})")
    } else if (metadata.contains("delta.generationExpression"))
      Some(s"GENERATED ALWAYS AS (${metadata.getString("delta.generationExpression")})")
    else field.getCurrentDefaultValue().map(value => s"DEFAULT $value")
  }

  private def quoted(name: String): String = if (name.matches("[A-Za-z_][A-Za-z0-9_]*")) name else s"`${name.replace("`", "``")}`"
  private def text(value: String): String = s"'${value.replace("\\", "\\\\").replace("'", "\\'")}'"

  private val CheckPrefix = "delta.constraints."
}
