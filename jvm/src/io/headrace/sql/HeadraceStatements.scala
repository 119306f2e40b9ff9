package io.headrace.sql

import org.apache.spark.sql.{SparkSession, SparkSessionExtensions}
import org.apache.spark.sql.catalyst.{FunctionIdentifier, TableIdentifier}
import org.apache.spark.sql.catalyst.analysis._
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.parser.{ParameterContext, ParserInterface}
import org.apache.spark.sql.catalyst.plans.logical.{InsertIntoStatement, LogicalPlan}
import org.apache.spark.sql.types.{DataType, StructType}

import io.unitycatalog.headrace.Metastore

/** The statements of a catalog that Spark lacks (StatementReader), names of catalogs made meanwhile, and what Delta leaves out (DeltaStatements). */
class HeadraceStatements extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectParser((session: SparkSession, parser: ParserInterface) => new StatementParser(parser, session))
    extensions.injectResolutionRule(session => DeltaStatements(session))
    extensions.injectPostHocResolutionRule(session => NearestNames(session))
    GuardedStatements.inject(extensions)
  }
}

class StatementParser(next: ParserInterface, session: SparkSession) extends ParserInterface {
  private val reader = new StatementReader(next)
  private val names = new CatalogNames(session)
  private val guard = if (GuardedStatements.isGuarded(session)) Some(new GuardedStatements(session)) else None
  guard.foreach(_ => GuardedStatements.requireGuard(session))

  override def parsePlan(text: String): LogicalPlan = reader.read(text) match {
    case Ours(plan) => plan
    case Theirs(text) => settle(next.parsePlan(ScriptStatements.rewrite(text)))
  }

  override def parsePlanWithParameters(text: String, parameters: ParameterContext): LogicalPlan = reader.read(text) match {
    case Ours(plan) => plan
    case Theirs(text) => settle(next.parsePlanWithParameters(ScriptStatements.rewrite(text), parameters))
  }

  override def parseQuery(text: String): LogicalPlan = settle(next.parseQuery(text))

  private def settle(plan: LogicalPlan): LogicalPlan = names.settle(guard.fold(plan)(_.apply(plan)))

  override def parseMultipartIdentifier(text: String): Seq[String] = {
    val parts = next.parseMultipartIdentifier(text)
    if (parts.length == 3) names.learn(parts.head)
    parts
  }

  override def parseTableIdentifier(text: String): TableIdentifier = next.parseTableIdentifier(text)
  override def parseExpression(text: String): Expression = next.parseExpression(text)
  override def parseFunctionIdentifier(text: String): FunctionIdentifier = next.parseFunctionIdentifier(text)
  override def parseTableSchema(text: String): StructType = next.parseTableSchema(text)
  override def parseDataType(text: String): DataType = next.parseDataType(text)
  override def parseRoutineParam(text: String): StructType = next.parseRoutineParam(text)
}

/**
 * Spark knows the catalogs of its configuration alone, and takes the first of two parts for a catalog wherever there is one
 * of that name. Here a catalog that the server has is known when a statement names it, and `a.b` is table b of schema a in the
 * session's catalog, also where a catalog a exists.
 */
private class CatalogNames(session: SparkSession) {
  def settle(plan: LogicalPlan): LogicalPlan = plan.transformUpWithSubqueries {
    case insert: InsertIntoStatement => insert.copy(table = settle(insert.table)) // no child of its statement
    case relation: UnresolvedRelation => relation.copy(multipartIdentifier = tableName(relation.multipartIdentifier))
    case table: UnresolvedTable => table.copy(multipartIdentifier = tableName(table.multipartIdentifier))
    case either: UnresolvedTableOrView => either.copy(multipartIdentifier = tableName(either.multipartIdentifier))
    case view: UnresolvedView => view.copy(multipartIdentifier = tableName(view.multipartIdentifier))
    case name: UnresolvedIdentifier => name.copy(nameParts = tableName(name.nameParts))
    case namespace: UnresolvedNamespace =>
      if (namespace.multipartIdentifier.length == 2) learn(namespace.multipartIdentifier.head)
      namespace
  }

  def learn(catalog: String): Unit =
    if (!Metastore.isKnown(session, catalog.toLowerCase)) Metastore.of(session).foreach(_.ensureKnown(catalog))

  private def tableName(parts: Seq[String]): Seq[String] = parts match {
    case Seq(catalog, _, _) => learn(catalog); parts
    case Seq(schema, _) if Metastore.isOurs(session, schema.toLowerCase) =>
      val current = session.sessionState.catalogManager.currentCatalog.name
      if (Metastore.isOurs(session, current)) current +: parts else parts
    case _ => parts
  }
}
