package io.unitycatalog.headrace

import java.util
import java.util.HashMap

import io.headrace.sql.Refused
import org.apache.spark.sql.connector.catalog.constraints._
import org.apache.spark.sql.delta.catalog.DeltaTableV2

/**
 * Constraints as properties of a Delta table. CHECK is Delta's own and enforced. Primary and foreign keys say what a
 * reader may take for granted, and nobody enforces them, as on the hosted product; they are kept under a name of ours.
 */
object TableConstraints {
  val Prefix = "headrace.constraint."

  def withProperties(properties: util.Map[String, String], constraints: Array[Constraint]): util.Map[String, String] =
    if (constraints.isEmpty) properties
    else {
      val all = new HashMap[String, String](properties)
      constraints.foreach { constraint => val (key, value) = toProperty(constraint); all.put(key, value) }
      all
    }

  /** The property that keeps a key of this name. */
  def findKey(table: DeltaTableV2, name: String): Option[String] =
    table.initialSnapshot.metadata.configuration.keys.find(_.equalsIgnoreCase(Prefix + name))

  def toProperty(constraint: Constraint): (String, String) = constraint match {
    case check: Check => s"delta.constraints.${check.name}" -> check.predicateSql
    case _: Unique => throw new Refused(
      s"UNIQUE (${constraint.name}) is not supported: Delta cannot enforce it. A PRIMARY KEY is kept as information; MERGE keeps rows unique.")
    // CONSTRAINT name PRIMARY KEY (a) NOT ENFORCED …
    case key => Prefix + key.name -> key.toDDL.replaceFirst("(?s)^CONSTRAINT\\s+\\S+\\s+", "")
  }
}
