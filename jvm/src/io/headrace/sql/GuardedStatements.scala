package io.headrace.sql

import java.net.URI
import java.util.Locale

import org.apache.hadoop.fs.FileSystem
import org.apache.spark.sql.{SparkSession, SparkSessionExtensions}
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation
import org.apache.spark.sql.catalyst.expressions.{CallMethodViaReflection, Expression, ExpressionInfo}
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution.command._
import org.apache.spark.sql.execution.datasources.{CreateTempViewUsing, HadoopFsRelation, LogicalRelation}
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation

import scala.jdk.CollectionConverters._

import io.headrace.fs.GuardedFileSystem

/**
 * In a JVM that runs SQL alone (a warehouse's; `spark.headrace.guarded`) a statement may run no code but Spark's own, and
 * may not lead around the guard of paths (GuardedFileSystem). Where code runs anyway, as in notebooks, none of this applies.
 */
object GuardedStatements {
  val Key = "spark.headrace.guarded"

  private val Formats = Set("delta", "parquet", "csv", "json", "orc", "text", "xml", "avro", "binaryfile")
  private val Reflecting = Seq("reflect", "java_method", "try_reflect")
  /** Options and settings become those of Hadoop, which knows file systems by them. */
  private val HadoopPrefixes = Seq("fs.", "dfs.", "hadoop.", "spark.hadoop.", "io.", "mapreduce.", "parquet.crypto.", "parquet.encryption.")

  def isGuarded(session: SparkSession): Boolean = session.sparkContext.getConf.get(Key, "false") == "true"

  def inject(extensions: SparkSessionExtensions): Unit = {
    extensions.injectResolutionRule(session => if (isGuarded(session)) new GuardedStatements(session) else Nothing)
    extensions.injectCheckRule(session => if (isGuarded(session)) refuseReflection else _ => ())
  }

  /** Once for a session: the file system that is used is the guarded one, whoever asked for one first. */
  def requireGuard(session: SparkSession): Unit = {
    val found = FileSystem.get(URI.create("file:///"), session.sparkContext.hadoopConfiguration)
    if (!found.isInstanceOf[GuardedFileSystem])
      throw new IllegalStateException(s"${found.getClass.getName} serves file: in a JVM that is to guard it; the host sets fs.file.impl.")
  }

  /** Of a client's session too. */
  def requireSetting(session: SparkSession, name: String): Unit = if (isGuarded(session) && !isHarmless(name)) throw refused(
    s"$name cannot be set where only SQL runs: settings of SQL can (spark.sql.…, but no catalogs; spark.databricks.…).")

  private def isHarmless(name: String): Boolean = {
    val lower = name.toLowerCase(Locale.ROOT)
    !lower.contains('.') || lower.startsWith("spark.databricks.") || lower.startsWith("databricks.") ||
      (lower.startsWith("spark.sql.") && !lower.startsWith("spark.sql.catalog."))
  }

  private def refuseReflection(plan: LogicalPlan): Unit = plan.foreachWithSubqueries(_.expressions.foreach(_.foreach {
    case _: CallMethodViaReflection => throw reflection
    case _ =>
  }))

  /** Also where no plan is checked, as for the constraints of a table. */
  private[sql] def withoutReflection(session: SparkSession): Unit = {
    val registry = session.sessionState.functionRegistry
    for (found <- registry.listFunction() if Reflecting.contains(found.funcName)) registry.registerFunction(
      found, new ExpressionInfo(classOf[CallMethodViaReflection].getName, found.funcName), (_: Seq[Expression]) => throw reflection)
  }

  private def reflection = refused("reflect, java_method and try_reflect run code of Java's: not where only SQL runs.")
  private def refused(reason: String) = new Refused(reason, "FEATURE_NOT_ALLOWED", "42501")

  private object Nothing extends Rule[LogicalPlan] {
    override def apply(plan: LogicalPlan): LogicalPlan = plan
  }
}

/** Before anything is resolved, by the parser, and again by the analyser, for what a parser has not seen. */
class GuardedStatements(session: SparkSession) extends Rule[LogicalPlan] {
  import GuardedStatements._

  // Not before: the session's state is being built when this rule is.
  private lazy val hasNoReflection: Unit = withoutReflection(session)

  override def apply(plan: LogicalPlan): LogicalPlan = {
    hasNoReflection
    plan.foreachWithSubqueries(check)
    plan
  }

  private def check(plan: LogicalPlan): Unit = plan match {
    case SetCommand(Some((name, Some(_)))) => requireSetting(session, name)
    case _: AddJarsCommand | _: AddFilesCommand | _: AddArchivesCommand =>
      throw refused("ADD JAR, ADD FILE and ADD ARCHIVE bring code or files into Spark: not where only SQL runs.")
    case _: CreateFunctionCommand | _: CreateFunction =>
      throw refused("A function of a class runs its code: not where only SQL runs. CREATE TEMPORARY FUNCTION … RETURN makes one of SQL.")
    case _: ScriptTransformation => throw refused("TRANSFORM … USING runs a program: not where only SQL runs.")
    case view: CreateTempViewUsing => requireFormat(Some(view.provider)); requireOptions(view.options.keys)
    case insert: InsertIntoDir => requireFormat(insert.provider); requireOptions(insert.storage.properties.keys)
    case create: CreateTable => requireSpec(create.tableSpec)
    case create: CreateTableAsSelect => requireSpec(create.tableSpec)
    case replace: ReplaceTable => requireSpec(replace.tableSpec)
    case replace: ReplaceTableAsSelect => requireSpec(replace.tableSpec)
    case relation: UnresolvedRelation => requireOptions(relation.options.keySet.asScala)
    case LogicalRelation(files: HadoopFsRelation, _, _, _, _) => requireOptions(files.options.keys)
    case relation: DataSourceV2Relation => requireOptions(relation.options.keySet.asScala)
    case _ =>
  }

  private def requireSpec(spec: TableSpecBase): Unit = spec match {
    case unresolved: UnresolvedTableSpec =>
      requireFormat(unresolved.provider)
      requireOptions(unresolved.optionExpression.options.map(_._1) ++ unresolved.properties.keys.map(_.stripPrefix("option.")))
    case resolved: TableSpec =>
      requireFormat(resolved.provider)
      requireOptions(resolved.options.keys)
    case _ =>
  }

  private def requireFormat(provider: Option[String]): Unit = {
    val format = provider.getOrElse(session.sessionState.conf.defaultDataSourceName).toLowerCase(Locale.ROOT)
    if (!Formats(format)) throw refused(
      s"$format is no format for where only SQL runs: ${Formats.toSeq.sorted.mkString(", ")} are.")
  }

  private def requireOptions(names: Iterable[String]): Unit = for (name <- names; lower = name.toLowerCase(Locale.ROOT))
    if (HadoopPrefixes.exists(lower.startsWith)) throw refused(s"The option $name is one of Hadoop's, which only the server sets where only SQL runs.")
}
