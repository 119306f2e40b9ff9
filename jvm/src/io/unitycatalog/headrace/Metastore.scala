package io.unitycatalog.headrace

import java.util.concurrent.ConcurrentHashMap

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.sql.SparkSession

import io.unitycatalog.headrace.RestClient.encode

/**
 * What lies above single catalogs: the catalogs themselves and their volumes, for one session.
 *
 * A session is told of the catalogs that exist when it begins. One that is made later, by this session or any other, is
 * looked up when a statement first names it, and becomes known then.
 */
class Metastore(session: SparkSession, val rest: RestClient, prefix: String) {
  import Metastore._

  def listCatalogs(): Seq[JsonNode] = rest.pages(s"$Root/catalogs", "catalogs")
  def findCatalog(name: String): Option[JsonNode] = rest.find(catalogPath(name))

  /** False when it exists. */
  def createCatalog(name: String, document: ObjectNode): Boolean = {
    val created = create(s"$Root/catalogs", document.put("name", name))
    absent.remove(absentKey(name))
    register(name)
    created
  }

  def updateCatalog(name: String, changes: ObjectNode): Unit = rest.send("PATCH", catalogPath(name), Some(changes))

  /** False when there is none. */
  def deleteCatalog(name: String, cascade: Boolean): Boolean =
    delete(catalogPath(name) + (if (cascade) "?force=true" else ""))

  def updateSchema(fullName: String, changes: ObjectNode): Unit = update("schemas", fullName, changes)
  def updateTable(fullName: String, changes: ObjectNode): Unit = update("tables", fullName, changes)

  def listVolumes(catalog: String, schema: String): Seq[JsonNode] =
    rest.pages(s"$Root/volumes?catalog_name=${encode(catalog)}&schema_name=${encode(schema)}", "volumes")

  def findVolume(fullName: String): Option[JsonNode] = rest.find(volumePath(fullName))
  def createVolume(document: ObjectNode): Boolean = create(s"$Root/volumes", document)
  def updateVolume(fullName: String, changes: ObjectNode): Unit = rest.send("PATCH", volumePath(fullName), Some(changes))
  def deleteVolume(fullName: String): Boolean = delete(volumePath(fullName))

  def listDroppedTables(catalog: String, schema: String): Seq[JsonNode] =
    rest.pages(s"$Dropped?catalog_name=${encode(catalog)}&schema_name=${encode(schema)}", "tables")

  /** By name, the last that was dropped; or by id. */
  def undropTable(fullName: Option[String], id: Option[String]): Unit = {
    val wanted = RestClient.json.createObjectNode()
    fullName.foreach(wanted.put("full_name", _))
    id.foreach(wanted.put("table_id", _))
    CatalogApi.writing(rest.send("POST", s"$Dropped/undrop", Some(wanted)))
  }

  /** Makes a catalog known to the session that is not yet, if the server has it. At most one request a second for a name. */
  def ensureKnown(name: String): Boolean = {
    val wanted = name.toLowerCase
    val absentSince = absent.getOrDefault(absentKey(wanted), 0L)
    if (isKnown(session, wanted)) true
    else if (!TableNames.isWireName(wanted) || System.nanoTime() - absentSince < AbsentNs) false
    else if (wanted == SystemCatalog || findCatalog(wanted).isDefined) { register(wanted); true }
    else {
      if (absent.size > AbsentMax) absent.clear()
      absent.put(absentKey(wanted), System.nanoTime())
      false
    }
  }

  private def absentKey(name: String) = s"${System.identityHashCode(session)} $name"

  /** As its sibling: same server, same token. */
  private def register(name: String): Unit = if (!isKnown(session, name)) {
    for (key <- Seq("uri", "token", "deltaRestApi.enabled", "retryMs"); value <- session.conf.getOption(s"$prefix.$key"))
      session.conf.set(s"spark.sql.catalog.$name.$key", value)
    session.conf.set(s"spark.sql.catalog.$name", ClassName)
  }

  private def update(kind: String, fullName: String, changes: ObjectNode): Unit =
    CatalogApi.writing(rest.send("PATCH", s"$Root/$kind/${encode(fullName)}", Some(changes)))

  private def create(path: String, document: ObjectNode): Boolean =
    try { rest.send("POST", path, Some(document)); true }
    catch { case e: ApiRefusal if e.isConflict => e.wasRetried }

  private def delete(path: String): Boolean =
    try { rest.send("DELETE", path); true }
    catch { case e: ApiRefusal if e.isMissing => e.wasRetried }

  private def catalogPath(name: String) = s"$Root/catalogs/${encode(name)}"
  private def volumePath(fullName: String) = s"$Root/volumes/${encode(fullName)}"
}

object Metastore {
  /** Its `information_schema` speaks of all catalogs. */
  val SystemCatalog = "system"
  private val Root = CatalogApi.Root
  private val Dropped = "/api/headrace/dropped-tables"
  private val ClassName = classOf[HeadraceCatalog].getName
  private val SparkCatalog = "spark_catalog"
  private val Prefix = "spark.sql.catalog."
  private val AbsentNs = 1000000000L
  private val AbsentMax = 10000

  // When the server last said that there is no such catalog, by session and name.
  private val absent = new ConcurrentHashMap[String, java.lang.Long]()

  /** None for a session without catalogs of ours, which then has none to find either. */
  def of(session: SparkSession): Option[Metastore] = {
    val prefixes = session.conf.getAll.collect { case (key, ClassName) if key.startsWith(Prefix) => key }
    prefixes.toSeq.sorted.headOption.map { prefix =>
      val uri = session.conf.get(s"$prefix.uri").stripSuffix("/")
      val retryMs = session.conf.getOption(s"$prefix.retryMs").map(_.toLong).getOrElse(RestClient.DefaultRetryMs)
      new Metastore(session, new RestClient(uri, session.conf.get(s"$prefix.token"), retryMs), prefix)
    }
  }

  def isKnown(session: SparkSession, name: String): Boolean =
    name.equalsIgnoreCase(SparkCatalog) || session.conf.getOption(s"$Prefix$name").isDefined

  def isOurs(session: SparkSession, name: String): Boolean = session.conf.getOption(s"$Prefix$name").contains(ClassName)
}
