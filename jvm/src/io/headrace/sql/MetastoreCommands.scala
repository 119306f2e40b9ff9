package io.headrace.sql

import java.time.Instant

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.sql.{Row, SparkSession}
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeReference}
import org.apache.spark.sql.catalyst.util.StringUtils
import org.apache.spark.sql.classic.{SparkSession => Session}
import org.apache.spark.sql.execution.command.LeafRunnableCommand
import org.apache.spark.sql.types.{BooleanType, StringType}

import io.unitycatalog.headrace.{Metastore, RestClient}

/** A statement that the server answers, without Spark. */
sealed trait MetastoreCommand extends LeafRunnableCommand {
  override def run(session: SparkSession): Seq[Row] = run(session.asInstanceOf[Session], Metastore.of(session).getOrElse(
    throw new Refused("This session has no catalogs of Headrace's: a host gives them to every task.")))

  protected def run(session: Session, metastore: Metastore): Seq[Row]

  protected def texts(names: String*): Seq[Attribute] = names.map(AttributeReference(_, StringType, nullable = true)())

  protected def document(fields: (String, Option[String])*): ObjectNode = {
    val document = RestClient.json.createObjectNode()
    for ((key, Some(value)) <- fields) document.put(key, value)
    document
  }

  protected def text(found: JsonNode, field: String): String = found.path(field).asText("")

  protected def instant(found: JsonNode, field: String): String =
    if (found.path(field).isNumber) Instant.ofEpochMilli(found.path(field).asLong).toString else ""

  protected def matching(rows: Seq[Row], column: Int, pattern: Option[String]): Seq[Row] = pattern.fold(rows) { wanted =>
    val kept = StringUtils.filterPattern(rows.map(_.getString(column)), wanted).toSet
    rows.filter(row => kept(row.getString(column)))
  }

  /** `v`, `s.v` or `c.s.v` as its three parts; the session's catalog and schema fill what is missing. */
  protected def threeParts(session: Session, name: Seq[String]): Seq[String] = {
    val catalogs = session.sessionState.catalogManager
    name.map(_.toLowerCase) match {
      case parts @ Seq(_, _, _) => parts
      case parts @ Seq(_, _) => catalogs.currentCatalog.name +: parts
      case parts @ Seq(_) => (catalogs.currentCatalog.name +: catalogs.currentNamespace.toSeq) ++ parts
      case _ => throw Refused.syntax(s"${name.mkString(".")} should be a name of at most three parts.")
    }
  }

  protected def schemaParts(session: Session, name: Option[Seq[String]]): Seq[String] =
    threeParts(session, name.fold(Seq("x"))(_ :+ "x")).init
}

case class CreateCatalog(name: String, ifNotExists: Boolean, location: Option[String], comment: Option[String]) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val created = metastore.createCatalog(name.toLowerCase, document("comment" -> comment, "storage_root" -> location))
    if (!created && !ifNotExists) throw Refused.taken(s"Catalog $name")
    Nil
  }
}

case class DropCatalog(ifExists: Boolean, name: String, cascade: Boolean) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    if (!metastore.deleteCatalog(name.toLowerCase, cascade) && !ifExists) throw Refused.missing(s"Catalog $name")
    Nil
  }
}

case class ShowCatalogs(pattern: Option[String]) extends MetastoreCommand {
  override val output: Seq[Attribute] = texts("catalog")
  override protected def run(session: Session, metastore: Metastore): Seq[Row] =
    matching(metastore.listCatalogs().map(c => Row(text(c, "name"))), 0, pattern)
}

case class DescribeCatalog(name: String, isExtended: Boolean) extends MetastoreCommand {
  override val output: Seq[Attribute] = texts("info_name", "info_value")
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val found = metastore.findCatalog(name.toLowerCase).getOrElse(throw Refused.missing(s"Catalog $name"))
    val brief = Seq("Catalog Name" -> text(found, "name"), "Comment" -> text(found, "comment"), "Owner" -> text(found, "owner"))
    val extended = Seq("Catalog Type" -> text(found, "catalog_type"), "Storage Root" -> text(found, "storage_root"),
      "Created By" -> text(found, "created_by"), "Created At" -> instant(found, "created_at"),
      "Updated By" -> text(found, "updated_by"), "Updated At" -> instant(found, "updated_at"))
    (if (isExtended) brief ++ extended else brief).map { case (key, value) => Row(key, value) }
  }
}

case class CreateVolume(name: Seq[String], ifNotExists: Boolean, location: Option[String], comment: Option[String]) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val Seq(catalog, schema, volume) = threeParts(session, name): @unchecked
    val created = metastore.createVolume(document("catalog_name" -> Some(catalog), "schema_name" -> Some(schema), "name" -> Some(volume),
      "volume_type" -> Some(if (location.isDefined) "EXTERNAL" else "MANAGED"), "storage_location" -> location, "comment" -> comment))
    if (!created && !ifNotExists) throw Refused.taken(s"Volume $catalog.$schema.$volume")
    Nil
  }
}

case class DropVolume(ifExists: Boolean, name: Seq[String]) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val fullName = threeParts(session, name).mkString(".")
    if (!metastore.deleteVolume(fullName) && !ifExists) throw Refused.missing(s"Volume $fullName")
    Nil
  }
}

case class RenameVolume(name: Seq[String], newName: Seq[String]) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val from = threeParts(session, name)
    val to = if (newName.length == 1) from.init ++ newName.map(_.toLowerCase) else threeParts(session, newName)
    if (to.init != from.init) throw new Refused("A volume stays in its schema: only its name can change.")
    metastore.updateVolume(from.mkString("."), document("new_name" -> Some(to.last)))
    Nil
  }
}

case class ShowVolumes(in: Option[Seq[String]], pattern: Option[String]) extends MetastoreCommand {
  override val output: Seq[Attribute] = texts("database", "volume_name")
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val Seq(catalog, name) = schemaParts(session, in): @unchecked
    matching(metastore.listVolumes(catalog, name).map(v => Row(name, text(v, "name"))), 1, pattern)
  }
}

case class DescribeVolume(name: Seq[String]) extends MetastoreCommand {
  override val output: Seq[Attribute] = texts("name", "catalog", "database", "owner", "storageLocation", "volumeType", "comment")
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val fullName = threeParts(session, name).mkString(".")
    val found = metastore.findVolume(fullName).getOrElse(throw Refused.missing(s"Volume $fullName"))
    Seq(Row.fromSeq(Seq("name", "catalog_name", "schema_name", "owner", "storage_location", "volume_type", "comment").map(text(found, _))))
  }
}

/** `kind` is CATALOG, SCHEMA, TABLE, VIEW or VOLUME. */
case class SetOwner(kind: String, name: Seq[String], owner: String) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val changes = document("owner" -> Some(owner))
    kind match {
      case "CATALOG" => metastore.updateCatalog(name.mkString(".").toLowerCase, changes)
      case "SCHEMA" => metastore.updateSchema(schemaParts(session, Some(name)).mkString("."), changes)
      case "VOLUME" => metastore.updateVolume(threeParts(session, name).mkString("."), changes)
      case _ => metastore.updateTable(threeParts(session, name).mkString("."), changes)
    }
    Nil
  }
}

/** `kind` is CATALOG or VOLUME; Spark has the others. */
case class SetComment(kind: String, name: Seq[String], comment: String) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val changes = document("comment" -> Some(comment))
    if (kind == "CATALOG") metastore.updateCatalog(name.mkString(".").toLowerCase, changes)
    else metastore.updateVolume(threeParts(session, name).mkString("."), changes)
    Nil
  }
}

case class ShowDroppedTables(in: Option[Seq[String]]) extends MetastoreCommand {
  override val output: Seq[Attribute] =
    texts("catalogName", "schemaName", "tableName", "tableId", "tableType", "deletedAt") :+ AttributeReference("isRestorable", BooleanType)()
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    val Seq(catalog, name) = schemaParts(session, in): @unchecked
    metastore.listDroppedTables(catalog, name).map { found =>
      Row(catalog, name, text(found, "name"), text(found, "table_id"), text(found, "table_type"), instant(found, "deleted_at"), true)
    }
  }
}

case class Undrop(name: Seq[String], id: Option[String]) extends MetastoreCommand {
  override protected def run(session: Session, metastore: Metastore): Seq[Row] = {
    metastore.undropTable(if (id.isDefined) None else Some(threeParts(session, name).mkString(".")), id)
    Nil
  }
}
