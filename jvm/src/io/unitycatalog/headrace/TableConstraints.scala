package io.unitycatalog.headrace

import java.util
import java.util.HashMap

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode
import io.headrace.sql.Refused
import org.apache.spark.sql.connector.catalog.Identifier
import org.apache.spark.sql.connector.catalog.constraints._
import org.apache.spark.sql.connector.expressions.NamedReference
import org.apache.spark.sql.delta.catalog.DeltaTableV2

/** A key as it is kept: `parent` and its columns for a foreign one. */
case class TableKey(name: String, columns: Seq[String], parent: Option[(Seq[String], Seq[String])])

/**
 * Constraints as properties of a Delta table. CHECK is Delta's own and enforced. Primary and foreign keys say what a
 * reader may take for granted, and nobody enforces them, as on the hosted product; they are kept under a name of ours, in
 * words that the server reads too (table-constraints.ts).
 */
object TableConstraints {
  val Prefix = "headrace.constraint."

  private val PrimaryKeyText = """(?s)PRIMARY KEY \((.*?)\)(?: .*)?""".r
  private val ForeignKeyText = """(?s)FOREIGN KEY \((.*?)\) REFERENCES (.*?) \((.*?)\)(?: .*)?""".r
  private val NamePart = """`(?:[^`]|``)*`|[^\s,.`]+""".r

  /** The property that keeps a key of this name. */
  def findKey(table: DeltaTableV2, name: String): Option[String] =
    table.initialSnapshot.metadata.configuration.keys.find(_.equalsIgnoreCase(Prefix + name))

  def keysOf(document: JsonNode): Seq[TableKey] = document.path("properties").properties.asScala.toSeq.flatMap { property =>
    val name = property.getKey.stripPrefix(Prefix)
    if (name == property.getKey) None else readKey(name, property.getValue.asText)
  }

  def isPrimary(key: TableKey): Boolean = key.parent.isEmpty

  /** None for words of somebody else's. */
  private def readKey(name: String, text: String): Option[TableKey] = text match {
    case ForeignKeyText(columns, table, parents) => Some(TableKey(name, names(columns), Some(names(table) -> names(parents))))
    case PrimaryKeyText(columns) => Some(TableKey(name, names(columns), None))
    case _ => None
  }

  private def names(text: String): Seq[String] = NamePart.findAllIn(text).toSeq.map { part =>
    if (part.startsWith("`")) part.substring(1, part.length - 1).replace("``", "`") else part
  }

  private def quoted(name: String): String = if (name.matches("[A-Za-z_][A-Za-z0-9_]*")) name else s"`${name.replace("`", "``")}`"

  private[headrace] def words(key: TableKey): String = {
    def list(columns: Seq[String]) = columns.map(quoted).mkString("(", ", ", ")")
    key.parent.fold(s"PRIMARY KEY ${list(key.columns)} NOT ENFORCED") { case (table, columns) =>
      s"FOREIGN KEY ${list(key.columns)} REFERENCES ${table.map(quoted).mkString(".")} ${list(columns)} NOT ENFORCED"
    }
  }
}

/** The constraints of one statement on one table, whose columns are known; parents are looked up. */
class ConstraintWriter(table: Seq[String], columns: Seq[String], findParent: Identifier => (Seq[String], Option[JsonNode])) {
  import TableConstraints._

  def withProperties(properties: util.Map[String, String], constraints: Array[Constraint]): util.Map[String, String] =
    if (constraints.isEmpty) properties
    else {
      val own = constraints.collectFirst { case key: PrimaryKey => namesOf(key.columns) }
      val all = new HashMap[String, String](properties)
      constraints.foreach { constraint => val (key, value) = toProperty(constraint, own); all.put(key, value) }
      all
    }

  def toProperty(constraint: Constraint, ownKey: Option[Seq[String]]): (String, String) = constraint match {
    case check: Check => s"delta.constraints.${check.name}" -> check.predicateSql
    case _: Unique => throw new Refused(
      s"UNIQUE (${constraint.name}) is not supported: Delta cannot enforce it. A PRIMARY KEY is kept as information; MERGE keeps rows unique.")
    case key: PrimaryKey => keep(TableKey(key.name, requireColumns(key.columns), None))
    case key: ForeignKey => keep(TableKey(key.name, requireColumns(key.columns), Some(parentOf(key, ownKey))))
    case other => throw new Refused(s"The constraint ${other.name} is of a kind that is not supported.")
  }

  private def keep(key: TableKey): (String, String) = (Prefix + key.name, words(key))

  private def requireColumns(references: Array[NamedReference]): Seq[String] = namesOf(references).map { name =>
    columns.find(_.equalsIgnoreCase(name)).getOrElse(throw new Refused(
      s"The key names a column $name, which ${table.mkString(".")} does not have.", "UNRESOLVED_COLUMN", "42703"))
  }

  /** The parent's full name, and the columns of its primary key that are meant. */
  private def parentOf(key: ForeignKey, ownKey: Option[Seq[String]]): (Seq[String], Seq[String]) = {
    val (name, found) = findParent(key.referencedTable)
    val shown = name.mkString(".")
    val primary = if (name == table && ownKey.isDefined) ownKey else found.map { document =>
      keysOf(document).find(isPrimary).map(_.columns).getOrElse(throw new Refused(
        s"$shown has no PRIMARY KEY for the foreign key ${key.name} to refer to.", "INVALID_CONSTRAINT", "42830"))
    }
    val wanted = primary.getOrElse(throw Refused.missing(s"Table $shown, which the foreign key ${key.name} refers to,"))
    val asked = if (key.referencedColumns.isEmpty) wanted else namesOf(key.referencedColumns)
    if (asked.map(_.toLowerCase).toSet != wanted.map(_.toLowerCase).toSet || asked.length != key.columns.length)
      throw new Refused(s"The foreign key ${key.name} has to refer to the columns of the primary key of $shown: ${wanted.mkString(", ")}.",
        "INVALID_CONSTRAINT", "42830")
    (name, asked)
  }

  private def namesOf(references: Array[NamedReference]): Seq[String] = references.toSeq.map(_.fieldNames.mkString("."))
}
