package io.unitycatalog.headrace

import java.io.IOException
import java.net.{URI, URLEncoder}
import java.net.http.{HttpClient, HttpRequest, HttpResponse}
import java.nio.charset.StandardCharsets.UTF_8
import java.time.Duration
import java.util.concurrent.ThreadLocalRandom

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

/** A refusal by the server, with its wire code. `attempts` tells whether an earlier try may already have done the work. */
class ApiRefusal(val status: Int, val code: String, message: String, val attempts: Int)
    extends IllegalArgumentException(message) { // which pyspark shows as its message alone, not as a crash in Java
  def isMissing: Boolean = status == 404
  def isConflict: Boolean = status == 409
  def wasRetried: Boolean = attempts > 1
}

/**
 * HTTP to one Headrace server, with one session's token.
 *
 * The server may restart while a task runs, so a request that got no answer (connection refused or dropped, 502, 503, 504, 429)
 * is sent again until `retryMs` has passed. A request may therefore arrive twice: callers make each operation idempotent,
 * helped by `ApiRefusal.attempts`. Never follows redirects, so the token goes to no other host.
 */
class RestClient(baseUrl: String, token: String, val retryMs: Long) {
  import RestClient._

  /** The answer's document. Throws ApiRefusal for a 4xx or 5xx that repeating does not cure, IOException when time ran out. */
  def send(method: String, path: String, body: Option[JsonNode] = None, retryMs: Long = retryMs): JsonNode = {
    val request = newRequest(method, path, body)
    val deadlineNs = System.nanoTime() + retryMs * 1000000L
    var attempts = 0
    while (true) {
      attempts += 1
      val retryReason: Either[String, IOException] =
        try {
          val answer = http.send(request, HttpResponse.BodyHandlers.ofString())
          val status = answer.statusCode
          if (status < 300) return parse(answer.body)
          if (!retryableStatus(status)) throw refusal(status, answer.body, attempts)
          Left(s"answered $status")
        } catch { case e: IOException => Right(e) } // includes ConnectException and HttpTimeoutException

      val pauseMs = backOffMs(attempts)
      if (System.nanoTime() + pauseMs * 1000000L > deadlineNs) {
        val reason = retryReason.fold(identity, e => Option(e.getMessage).getOrElse(e.getClass.getSimpleName))
        throw new IOException(
          s"Headrace's catalog at $baseUrl cannot be reached ($reason; $attempts attempts in ${retryMs / 1000} s). " +
            "Check that the server is running, then run the task again.",
          retryReason.toOption.orNull)
      }
      Thread.sleep(pauseMs) // an interrupt (a cancelled task) ends the wait
    }
    throw new IllegalStateException("unreachable")
  }

  /** All pages of a list, each as large as the server makes them. */
  def pages(path: String, field: String): Seq[JsonNode] = {
    val found = mutable.ArrayBuffer.empty[JsonNode]
    var pageToken = ""
    var pagesLeft = PagesMax
    do {
      val separator = if (path.contains('?')) '&' else '?'
      val page = send("GET", if (pageToken.isEmpty) path else s"$path${separator}page_token=${encode(pageToken)}")
      found ++= page.path(field).asScala
      pageToken = page.path("next_page_token").asText("")
      pagesLeft -= 1
      if (pagesLeft == 0) throw new IllegalStateException(s"$path has more than $PagesMax pages")
    } while (pageToken.nonEmpty)
    found.toSeq
  }

  /** None where there is no such thing. */
  def find(path: String): Option[JsonNode] =
    try Some(send("GET", path)) catch { case e: ApiRefusal if e.isMissing => None }

  private def newRequest(method: String, path: String, body: Option[JsonNode]): HttpRequest = {
    val publisher = body.fold(HttpRequest.BodyPublishers.noBody())(b => HttpRequest.BodyPublishers.ofString(b.toString))
    val builder = HttpRequest.newBuilder(URI.create(baseUrl + path))
      .timeout(RequestTimeout)
      .header("authorization", s"Bearer $token")
      .method(method, publisher)
    // Only with a body: strict servers answer 400 to an empty body that claims to be JSON.
    if (body.isDefined) builder.header("content-type", "application/json")
    builder.build()
  }

  private def refusal(status: Int, body: String, attempts: Int): ApiRefusal = {
    val document = try parse(body) catch { case _: IOException => json.createObjectNode() }
    val code = document.path("error_code").asText(s"HTTP_$status")
    val message = document.path("message").asText(s"the catalog answered $status")
    new ApiRefusal(status, code, s"$code: $message", attempts)
  }
}

object RestClient {
  val json = new ObjectMapper()

  // A restart of the server takes 2–5 s; 60 s also covers one that migrates or restores. Option `retryMs` overrides it.
  val DefaultRetryMs = 60000L
  private val PagesMax = 10000 // 10,000 pages of the smallest sensible size are more tables than a schema can hold
  private val RequestTimeout = Duration.ofSeconds(30)

  // One client, so one selector thread, for all sessions of a JVM. HTTP/1.1: no upgrade dance on the first request.
  private lazy val http = HttpClient.newBuilder()
    .version(HttpClient.Version.HTTP_1_1)
    .connectTimeout(Duration.ofSeconds(5))
    .build()

  def encode(text: String): String = URLEncoder.encode(text, UTF_8).replace("+", "%20")

  private def retryableStatus(status: Int): Boolean = status == 429 || status == 502 || status == 503 || status == 504

  /** 50, 100, 200 … 2,000 ms, each ± 25 % so that the sessions of a host do not return in step. */
  private def backOffMs(attempts: Int): Long = {
    val fullMs = math.min(2000L, 50L << math.min(attempts - 1, 6))
    (fullMs * ThreadLocalRandom.current().nextDouble(0.75, 1.25)).toLong
  }

  private def parse(body: String): JsonNode = if (body.isEmpty) json.createObjectNode() else json.readTree(body)
}
