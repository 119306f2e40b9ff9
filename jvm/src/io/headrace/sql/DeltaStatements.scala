package io.headrace.sql

import org.apache.spark.sql.{Row, SparkSession}
import org.apache.spark.sql.catalyst.analysis.ResolvedTable
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.connector.catalog.{Identifier, TableCatalog}
import org.apache.spark.sql.delta.catalog.DeltaTableV2
import org.apache.spark.sql.delta.stats.StatisticsCollection
import org.apache.spark.sql.execution.command.{DescribeRelationJsonCommand, LeafRunnableCommand}
import org.apache.spark.sql.headrace.SparkInternals

import io.unitycatalog.headrace.{HeadraceCatalog, TableConstraints, TableStatements}

/** Statements of Spark's that Delta refuses, or Spark itself for tables of a catalog like ours. */
case class DeltaStatements(session: SparkSession) extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = plan match {
    case ShowCreateTable(ResolvedTable(catalog: HeadraceCatalog, name, table: DeltaTableV2, _), _, output) =>
      ShowCreateDelta(catalog, name, table, output)
    case AnalyzeTable(ResolvedTable(_: HeadraceCatalog, name, table: DeltaTableV2, _), _, noScan) => AnalyzeDelta(name, table, noScan)
    case AnalyzeColumn(ResolvedTable(_: HeadraceCatalog, name, table: DeltaTableV2, _), _, _) => AnalyzeDelta(name, table, noScan = false)
    case command @ DescribeRelationJsonCommand(resolved @ ResolvedTable(_: HeadraceCatalog, _, table: DeltaTableV2, _), _, _, _) =>
      command.copy(child = resolved.copy(table = SparkInternals.tableOf(TableStatements.described(table))))
    case AlterTableDropConstraint(resolved @ ResolvedTable(_: HeadraceCatalog, _, table: DeltaTableV2, _), name, _)
        if TableConstraints.findKey(table, name).isDefined =>
      UnsetTableProperties(resolved, Seq(TableConstraints.findKey(table, name).get), ifExists = true)
    // Spark lists the folders of such tables at each read: nothing can be missing.
    case RepairTable(ResolvedTable(_: HeadraceCatalog, _, _, _), _, _) => NothingToDo()
    case _ => plan
  }
}

case class ShowCreateDelta(catalog: TableCatalog, name: Identifier, table: DeltaTableV2, override val output: Seq[Attribute])
    extends LeafRunnableCommand {
  override def run(session: SparkSession): Seq[Row] =
    Seq(Row(TableStatements.createStatement((catalog.name +: name.namespace.toSeq) :+ name.name, table)))
}

/** Delta keeps statistics of each file, which reads skip files by; those of a file that has none are made here. */
case class AnalyzeDelta(name: Identifier, table: DeltaTableV2, noScan: Boolean) extends LeafRunnableCommand {
  override def run(session: SparkSession): Seq[Row] = {
    val lacking = table.update().allFiles.filter("stats is null or get_json_object(stats, '$.numRecords') is null").limit(1)
    if (!noScan && !lacking.isEmpty)
      StatisticsCollection.recompute(session, table.deltaLog, table.catalogTable,
        fileFilter = file => file.stats == null || !file.stats.contains("numRecords"))
    Nil
  }
}

case class NothingToDo() extends LeafRunnableCommand {
  override def run(session: SparkSession): Seq[Row] = Nil
}
