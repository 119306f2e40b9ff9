package io.unitycatalog.headrace

import java.util
import java.util.HashMap

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode
import io.headrace.sql.Refused
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException
import org.apache.spark.sql.connector.catalog.{Identifier, TableCatalog}

/**
 * Where a statement's table lives: the properties of a CREATE or REPLACE, completed with format and location.
 * What the catalog cannot keep is refused here, before anything is written.
 */
class TablePlacement(catalog: String, metadata: MetadataCatalog) {

  /** For a table that must not exist yet. A path table (delta.`/x`) needs no place of ours. */
  def ofNew(ident: Identifier, statement: util.Map[String, String]): util.Map[String, String] = {
    val properties = withFormat(ident, statement)
    if (isPathTable(ident)) return properties
    TableNames.requireWireName(catalog, ident)
    if (metadata.find(ident).isDefined) throw new TableAlreadyExistsException(ident)
    Option(properties.get(TableCatalog.PROP_LOCATION)) match {
      case Some(location) =>
        properties.put(TableCatalog.PROP_LOCATION, metadata.externalLocation(ident, qualified(location)))
      case None =>
        if (!isDelta(properties)) throw new UnsupportedOperationException(
          s"A ${properties.get(TableCatalog.PROP_PROVIDER)} table in catalog $catalog needs a LOCATION: managed tables are Delta tables.")
        properties.put(TableCatalog.PROP_LOCATION, metadata.newLocation(ident))
        properties.put(TableCatalog.PROP_IS_MANAGED_LOCATION, "true")
    }
    properties
  }

  /** For a table that is to be replaced: it keeps its place. None when there is none. */
  def ofExisting(ident: Identifier, statement: util.Map[String, String]): Option[util.Map[String, String]] =
    metadata.find(ident).map { document =>
      val properties = withFormat(ident, statement)
      refuseOtherKind(ident, document)
      val location = TableDocuments.locationOf(document)
      Option(properties.get(TableCatalog.PROP_LOCATION)).map(qualified).filter(pathOf(_) != pathOf(location)).foreach { other =>
        throw new UnsupportedOperationException(
          s"${fullName(ident)} is at $location and cannot be replaced by a table at $other: drop it first.")
      }
      properties.put(TableCatalog.PROP_LOCATION, location)
      // Also for external tables, which stay external (Delta takes the kind from the table it finds): else Delta 4.4.0
      // would update Spark's session catalog after its commit, and fail there (CreateDeltaTableLike.updateCatalog).
      properties.put(TableCatalog.PROP_IS_MANAGED_LOCATION, "true")
      properties
    }

  def isDelta(properties: util.Map[String, String]): Boolean = properties.get(TableCatalog.PROP_PROVIDER) == "delta"

  /** REPLACE and CREATE … AS SELECT are atomic in Delta's log only. */
  def requireDelta(ident: Identifier, properties: util.Map[String, String]): util.Map[String, String] = {
    if (!isDelta(properties)) throw new UnsupportedOperationException(
      s"${fullName(ident)}: a ${properties.get(TableCatalog.PROP_PROVIDER)} table cannot be replaced or created from a query in catalog " +
        s"$catalog, because that would not be atomic: use Delta, or write the files first and CREATE TABLE … LOCATION.")
    properties
  }

  def refuseProperty(ident: Identifier, key: String): Unit =
    if (key == "delta.feature.catalogManaged" || key == "delta.feature.catalogOwned-preview") throw new UnsupportedOperationException(
      s"${fullName(ident)}: catalog-managed commits ($key) are not supported; tables of catalog $catalog commit to their own log.")

  private def withFormat(ident: Identifier, statement: util.Map[String, String]): HashMap[String, String] = {
    statement.keySet.asScala.foreach(refuseProperty(ident, _))
    val properties = new HashMap[String, String](statement)
    properties.put(TableCatalog.PROP_PROVIDER, properties.getOrDefault(TableCatalog.PROP_PROVIDER, "delta").toLowerCase)
    properties
  }

  private def refuseOtherKind(ident: Identifier, document: JsonNode): Unit = {
    if (TableDocuments.isView(document)) throw new UnsupportedOperationException(
      s"${fullName(ident)} is a view and cannot be replaced by a table: drop the view first.")
    if (TableDocuments.formatOf(document) != "delta") throw new UnsupportedOperationException(
      s"${fullName(ident)} is a ${TableDocuments.formatOf(document)} table, whose replacement would not be atomic: drop it first (its files stay).")
  }

  private def isPathTable(ident: Identifier) =
    ident.namespace.length == 1 && ident.namespace.head.equalsIgnoreCase("delta") && ident.name.contains("/")

  /**
   * With its scheme, so that every reader finds the same place. Spark has already made `file:/Volumes/…` of a volume's path;
   * what is meant is the volume.
   */
  private def qualified(location: String): String = {
    val path = new Path(location)
    if (path.toUri.getPath.startsWith("/Volumes/")) s"dbfs:${path.toUri.getPath}"
    else path.getFileSystem(SparkSession.active.sparkContext.hadoopConfiguration).makeQualified(path).toString
  }

  private def pathOf(location: String): String = new Path(location).toUri.getPath

  private def fullName(ident: Identifier): String = (catalog +: ident.namespace :+ ident.name).mkString(".")
}
