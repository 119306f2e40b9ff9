package io.headrace.sql

import java.io.File
import java.nio.file.Files
import java.util.Locale

import scala.collection.mutable
import scala.util.control.NonFatal

import org.apache.spark.sql.{SparkSession, SparkSessionExtensions}
import org.apache.spark.sql.catalyst.{FunctionIdentifier, TableIdentifier}
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.parser.{ParameterContext, ParserInterface, SqlBaseLexer}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.types.{DataType, StructType}

import io.headrace.fs.DbfsFileSystem

/**
 * Lets SQL texts name files as Python does: `/Volumes/…`, `/dbfs/…` and `/Workspace/…` become addresses that Spark finds,
 * where the grammar wants a path and nowhere else. Before the parsers of Delta and Spark, for both have such places.
 */
class HostedPaths extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit =
    extensions.injectParser { (session: SparkSession, parser: ParserInterface) =>
      Option(session.sparkContext.hadoopConfiguration.get(DbfsFileSystem.DataRootKey)).filter(_.nonEmpty)
        .fold(parser)(root => new HostedPathParser(parser, new PathRewriter(root)))
    }
}

class HostedPathParser(next: ParserInterface, paths: PathRewriter) extends ParserInterface {
  override def parsePlan(text: String): LogicalPlan = next.parsePlan(paths.rewrite(text))
  override def parsePlanWithParameters(text: String, parameters: ParameterContext): LogicalPlan =
    next.parsePlanWithParameters(paths.rewrite(text), parameters)
  override def parseQuery(text: String): LogicalPlan = next.parseQuery(paths.rewrite(text))
  override def parseTableIdentifier(text: String): TableIdentifier = next.parseTableIdentifier(paths.rewrite(text))
  override def parseMultipartIdentifier(text: String): Seq[String] = next.parseMultipartIdentifier(paths.rewrite(text))
  override def parseExpression(text: String): Expression = next.parseExpression(text)
  override def parseFunctionIdentifier(text: String): FunctionIdentifier = next.parseFunctionIdentifier(text)
  override def parseTableSchema(text: String): StructType = next.parseTableSchema(text)
  override def parseDataType(text: String): DataType = next.parseDataType(text)
  override def parseRoutineParam(text: String): StructType = next.parseRoutineParam(text)
}

/**
 * What counts as a place of a path:
 *   LOCATION '…', DIRECTORY '…', INPATH '…'; path = '…' within OPTIONS (…); <format>.`…`;
 *   VACUUM '…', OPTIMIZE '…', DESCRIBE DETAIL '…', DESCRIBE HISTORY '…' at the beginning of a statement; ADD JAR|FILE|ARCHIVE '…'
 */
class PathRewriter(dataRoot: String) {
  private val targets = Seq(
    ("/Volumes", "volumes", "dbfs:/Volumes"), ("/dbfs", "dbfs", "dbfs:"), ("/Workspace", "workspace", s"file:$dataRoot/workspace")
  ).collect { case (prefix, ours, target) if !isSomebodyElses(new File(prefix), new File(dataRoot, ours)) => prefix -> target }

  /** A mount of this machine, or the disks of macOS, as in Python (paths.py); a plain folder is a stray one. */
  private[sql] def isSomebodyElses(folder: File, ours: File): Boolean =
    folder.isDirectory && !isSame(folder, ours) &&
      (System.getProperty("os.name").startsWith("Mac") || deviceOf(folder) != deviceOf(new File("/")))

  /** A link that leads to our folder, or a mount of it in the namespace of a task: those have no real path in common. */
  private def isSame(folder: File, ours: File): Boolean = ours.exists() && Files.isSameFile(folder.toPath, ours.toPath)

  private def deviceOf(file: File): AnyRef = Files.getAttribute(file.toPath, "unix:dev")

  /** The same text where it names none of them, which costs a search and no more. */
  def rewrite(text: String): String =
    if (!targets.exists { case (prefix, _) => text.contains(prefix) }) text
    else try rewriteTokens(text) catch { case NonFatal(_) => text } // the parser has the words for what is no SQL

  private def rewriteTokens(text: String): String = {
    val tokens = SqlTokens.of(text)
    val places = new Places(tokens)
    val result = new java.lang.StringBuilder
    var copied, copiedPoints = 0
    for (index <- tokens.indices; changed <- places.pathAt(index).flatMap(translate)) {
      // From the last place on: from the beginning, many paths would take the square of their number.
      val start = text.offsetByCodePoints(copied, tokens(index).start - copiedPoints)
      result.append(text, copied, start).append(changed)
      copied = start + tokens(index).text.length
      copiedPoints = tokens(index).start + tokens(index).text.codePointCount(0, tokens(index).text.length)
    }
    result.append(text, copied, text.length).toString
  }

  /** A quoted path, quotes included; what leads upwards stays, and is found nowhere. */
  private def translate(quoted: String): Option[String] = {
    val head = quoted.indexWhere("'\"`".contains(_)) + 1
    val path = quoted.substring(head)
    targets.collectFirst {
      case (prefix, target) if path.startsWith(prefix) && "/'\"`".contains(path.charAt(prefix.length)) &&
        !path.split("[/'\"`]").contains("..") =>
        quoted.substring(0, head) + escape(target, quoted.charAt(head - 1)) + path.substring(prefix.length)
    }
  }

  private def escape(text: String, quote: Char): String =
    if (quote == '`') text.replace("`", "``") else text.replace("\\", "\\\\").replace(quote.toString, "\\" + quote)
}

private class Places(tokens: IndexedSeq[SqlToken]) {
  private val beforePath = Set("LOCATION", "DIRECTORY", "INPATH")
  private val formats = Set("csv", "json", "parquet", "orc", "text", "xml", "avro", "delta", "binaryfile")
  private val inOptions = markOptions()

  def pathAt(index: Int): Option[String] = {
    val token = tokens(index)
    val isPath = token.kind match {
      case SqlBaseLexer.STRING_LITERAL | SqlBaseLexer.DOUBLEQUOTED_STRING => isPathString(index)
      // Three names in a row are a catalog, a schema and a table, whatever they are called.
      case SqlBaseLexer.BACKQUOTED_IDENTIFIER =>
        word(index - 1) == "." && formats(unquoted(index - 2)) && word(index - 3) != "."
      case _ => false
    }
    if (isPath) Some(token.text) else None
  }

  private def isPathString(index: Int): Boolean =
    beforePath(word(index - 1)) || isOfCommand(index) || (inOptions(index) && {
      val key = if (word(index - 1) == "=") index - 2 else index - 1
      unquoted(key) == "path"
    })

  /** Two words at most come before such a path, and nothing before them: any later literal is not worth the look. */
  private def isOfCommand(index: Int): Boolean = index <= 2 && ((0 until index).map(word) match {
    case Seq("VACUUM" | "OPTIMIZE") => true
    case Seq("DESCRIBE" | "DESC", "DETAIL" | "HISTORY") => true
    case Seq("ADD", "JAR" | "JARS" | "FILE" | "FILES" | "ARCHIVE" | "ARCHIVES") => true
    case _ => false
  })

  private def word(index: Int): String = if (index < 0) "" else tokens(index).text.toUpperCase(Locale.ROOT)
  private def unquoted(index: Int): String =
    if (index < 0) "" else tokens(index).text.toLowerCase(Locale.ROOT).replaceAll("['\"`]", "")

  /** Elsewhere `path = '/Volumes/x'` compares a column. */
  private def markOptions(): Set[Int] = {
    val inside = mutable.Set[Int]()
    for (open <- 1 until tokens.length if word(open) == "(" && word(open - 1) == "OPTIONS") {
      val close = tokens.indexWhere(_.text == ")", open)
      inside ++= (open until (if (close < 0) tokens.length else close))
    }
    inside.toSet
  }
}
