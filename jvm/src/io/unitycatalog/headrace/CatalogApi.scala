package io.unitycatalog.headrace

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import io.unitycatalog.headrace.RestClient.encode

/** A table's or view's name inside one catalog, as it goes on the wire: lower case, because Spark's names ignore case. */
case class TableName(schema: String, table: String)

/**
 * The calls that the plug-in makes, each safe to repeat, and a short memory of tables and schemas.
 *
 * Spark and Delta ask for the same table up to five times, and for its schema up to nine times, while they analyse one
 * statement; the memory answers all but the first. It is void as soon as any session of this JVM writes metadata; another JVM's DROP or RENAME is seen at most
 * `PresentMs` later, its CREATE at most `AbsentMs` later. Data is never remembered here: Delta reads its own log.
 */
class CatalogApi(catalog: String, rest: RestClient) {
  import CatalogApi._

  private val memory = new ConcurrentHashMap[String, Remembered]() // by path of the request

  def findTable(name: TableName, retryMs: Long = rest.retryMs): Option[JsonNode] = find(tablePath(name), retryMs)

  /** None when the name is taken by another table. A repeated POST finds its own first try: same place, same text. */
  def createTable(name: TableName, document: ObjectNode): Option[JsonNode] = {
    document.put("catalog_name", catalog).put("schema_name", name.schema).put("name", name.table)
    try {
      val created = writing(rest.send("POST", s"$Root/tables", Some(document)))
      remember(tablePath(name), Some(created), writes.get)
      Some(created)
    } catch {
      case e: ApiRefusal if e.isConflict => findTable(name).filter(isSameTable(_, document))
    }
  }

  /** False when there is no such table. */
  def updateTable(name: TableName, changes: ObjectNode, retryMs: Long = rest.retryMs): Boolean = {
    val updated = orNone(writing(rest.send("PATCH", tablePath(name), Some(changes), retryMs)))
    // The API may answer with the whole table or with nothing.
    if (updated.exists(_.has("table_type"))) remember(tablePath(name), updated, writes.get)
    updated.isDefined
  }

  /** Throws ApiRefusal 404 (no such table) or 409 (new name taken), unless an earlier try had already renamed it. */
  def renameTable(from: TableName, to: TableName): Unit = {
    val before = findTable(from)
    val changes = RestClient.json.createObjectNode().put("new_name", to.table)
    if (from.schema != to.schema) changes.put("new_schema_name", to.schema)
    try writing(rest.send("PATCH", tablePath(from), Some(changes)))
    catch {
      case e: ApiRefusal if e.wasRetried && (e.isMissing || e.isConflict) =>
        if (!before.exists(b => findTable(to).exists(isSameTable(_, b)))) throw e
    }
  }

  /** False when there was no such table; a 404 to a repeated DELETE means that the first one worked. */
  def deleteTable(name: TableName, purges: Boolean = false): Boolean =
    deleted(tablePath(name) + (if (purges) "?purge=true" else ""))

  /** Without columns, names and kinds only: columns are most of the bytes. */
  def listTables(schema: String, withColumns: Boolean = false): Seq[JsonNode] = {
    val omitted = if (withColumns) "" else "&omit_columns=true&omit_properties=true"
    rest.pages(s"$Root/tables?catalog_name=${encode(catalog)}&schema_name=${encode(schema)}$omitted", "tables")
  }

  /** A new folder for a managed table; or, where `external` is asked for, that place as the server calls it, or its refusal. */
  def createTableLocation(name: TableName, external: Option[String] = None): String = {
    val body = RestClient.json.createObjectNode().put("full_name", fullName(name))
    external.foreach(body.put("storage_location", _))
    rest.send("POST", "/api/headrace/table-locations", Some(body)).path("location").asText
  }

  def listSchemas(): Seq[JsonNode] = rest.pages(s"$Root/schemas?catalog_name=${encode(catalog)}", "schemas")

  def findSchema(schema: String): Option[JsonNode] = find(schemaPath(schema), rest.retryMs)

  /** False when the schema exists already. */
  def createSchema(schema: String, document: ObjectNode): Boolean = {
    document.put("catalog_name", catalog).put("name", schema)
    try { writing(rest.send("POST", s"$Root/schemas", Some(document))); true }
    catch { case e: ApiRefusal if e.isConflict => e.wasRetried }
  }

  def updateSchema(schema: String, changes: ObjectNode): Unit = writing(rest.send("PATCH", schemaPath(schema), Some(changes)))

  def deleteSchema(schema: String, cascade: Boolean): Boolean =
    deleted(schemaPath(schema) + (if (cascade) "?force=true" else ""))

  def forget(name: TableName): Unit = memory.remove(tablePath(name))

  def fullName(name: TableName): String = s"$catalog.${name.schema}.${name.table}"

  private def deleted(path: String): Boolean =
    try { writing(rest.send("DELETE", path)); true }
    catch { case e: ApiRefusal if e.isMissing => e.wasRetried }

  private def tablePath(name: TableName) = s"$Root/tables/${encode(fullName(name))}"

  private def schemaPath(schema: String) = s"$Root/schemas/${encode(s"$catalog.$schema")}"

  private def find(path: String, retryMs: Long): Option[JsonNode] = {
    val known = memory.get(path)
    if (known != null && known.isFresh) known.document
    else {
      val writesBefore = writes.get // read first: a write that overtakes the request makes its answer void
      val found = orNone(rest.send("GET", path, retryMs = retryMs))
      remember(path, found, writesBefore)
      found
    }
  }

  private def remember(path: String, document: Option[JsonNode], writesBefore: Long): Unit = {
    if (memory.size >= MemoryMax) memory.clear()
    memory.put(path, Remembered(document, System.nanoTime(), writesBefore))
  }
}

object CatalogApi {
  val Root = "/api/2.1/unity-catalog"

  private val PresentMs = 1000L // longer than the analysis of a statement, shorter than a person's or a task's next step
  private val AbsentMs = 200L // only bridges "does it exist?" and "create it" of one statement
  private val MemoryMax = 1000

  private case class Remembered(document: Option[JsonNode], atNs: Long, writesThen: Long) {
    def isFresh: Boolean = {
      val lifeMs = if (document.isDefined) PresentMs else AbsentMs
      writesThen == writes.get && System.nanoTime() - atNs < lifeMs * 1000000L
    }
  }

  /** Metadata writes by all sessions of this JVM. */
  private val writes = new AtomicLong()

  /** Counts before and after: an answer read while the write was under way is void too. */
  private[headrace] def writing[T](body: => T): T = {
    writes.incrementAndGet()
    try body finally writes.incrementAndGet()
  }

  private def orNone(body: => JsonNode): Option[JsonNode] =
    try Some(body) catch { case e: ApiRefusal if e.isMissing => None }

  private def isSameTable(stored: JsonNode, sent: JsonNode): Boolean = {
    def same(field: String) = stored.path(field).asText("") == sent.path(field).asText("")
    same("table_type") && (if (sent.path("table_type").asText == "VIEW") same("view_definition") else same("storage_location"))
  }
}
