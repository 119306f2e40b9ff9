package io.headrace.sql

import scala.util.control.NonFatal

import org.apache.spark.sql.{AnalysisException, SparkSession}
import org.apache.spark.sql.catalyst.analysis.{UnresolvedRelation, UnresolvedTable, UnresolvedTableOrView}
import org.apache.spark.sql.catalyst.plans.logical.{InsertIntoStatement, LogicalPlan}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.classic.{SparkSession => Session}
import org.apache.spark.unsafe.types.UTF8String

import io.unitycatalog.headrace.HeadraceCatalog

/**
 * Names the tables that a statement may have meant, when it names one that does not exist. Asks the server then only; where
 * nothing is near, Spark's own error follows.
 */
case class NearestNames(session: SparkSession) extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = {
    plan.foreach {
      case insert: InsertIntoStatement => insert.table.foreach(suggestFor)
      case node => suggestFor(node)
    }
    plan
  }

  private def suggestFor(node: LogicalPlan): Unit = node match {
    case relation: UnresolvedRelation => suggest(node, relation.multipartIdentifier)
    case table: UnresolvedTable => suggest(node, table.multipartIdentifier)
    case either: UnresolvedTableOrView => suggest(node, either.multipartIdentifier)
    case _ =>
  }

  private def suggest(node: LogicalPlan, name: Seq[String]): Unit = {
    val catalogs = session.asInstanceOf[Session].sessionState.catalogManager
    val full = name.length match {
      case 1 if catalogs.currentNamespace.length == 1 => catalogs.currentCatalog.name +: catalogs.currentNamespace.toSeq :+ name.head
      case 2 => catalogs.currentCatalog.name +: name
      case 3 => name
      case _ => Nil
    }
    val near = try full match {
      case Seq(catalog, schema, table) if catalogs.isCatalogRegistered(catalog) => catalogs.catalog(catalog) match {
        case ours: HeadraceCatalog => nearest(table, ours.listRelationSummaries(Array(schema)).toSeq.map(_.identifier.name))
        case _ => Nil
      }
      case _ => Nil
    } catch { case NonFatal(_) => Nil } // the schema is missing, or the server away: Spark's error says what it knows
    if (near.nonEmpty) {
      def quoted(parts: Seq[String]) = parts.map(part => s"`$part`").mkString(".")
      // By Spark's own template, whose parameters clients put together again.
      throw new AnalysisException("TABLE_OR_VIEW_NOT_FOUND", Map(
        "relationName" -> quoted(full),
        "searchPath" -> s"[${quoted(full.init)}]. Did you mean ${near.map(found => quoted(full.init :+ found)).mkString(", ")}?"), node.origin)
    }
  }

  /** At most three, of which a third of the letters at most differ. */
  private def nearest(wanted: String, names: Seq[String]): Seq[String] = {
    val text = UTF8String.fromString(wanted.toLowerCase)
    names.map(name => name -> text.levenshteinDistance(UTF8String.fromString(name)))
      .filter { case (_, distance) => distance > 0 && distance <= math.max(1, wanted.length / 3) }
      .sortBy(_._2).take(3).map(_._1)
  }
}
