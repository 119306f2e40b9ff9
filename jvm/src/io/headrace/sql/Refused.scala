package io.headrace.sql

import org.apache.spark.sql.AnalysisException
import org.apache.spark.sql.catalyst.trees.Origin

/** A statement that Headrace does not do, with the reason: SQLSTATE 0A000 (feature not supported) unless told otherwise. */
class Refused(reason: String, condition: String = "UNSUPPORTED_FEATURE", state: String = "0A000")
    extends AnalysisException(
      s"[$condition] $reason SQLSTATE: $state", None, None, None, Some(condition), Map("reason" -> reason), Array.empty, Some(state), None) {
  override def getSqlState: String = state

  /** As it is: Spark would make another exception of it, and look for its condition among its own. */
  override def withPosition(origin: Origin): AnalysisException = this
}

object Refused {
  def missing(what: String): Refused = new Refused(s"$what does not exist.", "OBJECT_NOT_FOUND", "42704")
  def taken(what: String): Refused = new Refused(s"$what already exists.", "OBJECT_ALREADY_EXISTS", "42710")
  def missingSchema(catalog: String, schema: String): Refused = new Refused(
    s"The schema `$catalog`.`$schema` cannot be found: CREATE SCHEMA $catalog.$schema makes it.", "SCHEMA_NOT_FOUND", "42704")
  def syntax(reason: String): Refused = new Refused(reason, "PARSE_SYNTAX_ERROR", "42601")
}
