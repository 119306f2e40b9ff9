package io.headrace.sql

import java.util.Locale

import org.apache.spark.sql.catalyst.expressions.Literal
import org.apache.spark.sql.catalyst.parser.{ParserInterface, SqlBaseLexer}

/** Reads a statement word by word. `accept` goes on when the next words are these; the others fail with SQLSTATE 42601. */
class Words(text: String, tokens: IndexedSeq[SqlToken], parser: ParserInterface) {
  private var at = 0

  def peek(words: String*): Boolean = words.zipWithIndex.forall { case (word, ahead) => wordAt(at + ahead) == word }

  /** Whether these words follow somewhere, before the query of a statement begins. */
  def follow(words: String*): Boolean =
    Iterator.range(at, tokens.length).takeWhile(index => !Set("AS", "SELECT")(wordAt(index)))
      .exists(index => words.zipWithIndex.forall { case (word, ahead) => wordAt(index + ahead) == word })

  /** Goes on to where these words follow, if they do. */
  def seek(words: String*): Boolean = {
    val found = Iterator.range(at, tokens.length).find(index => words.zipWithIndex.forall { case (word, ahead) => wordAt(index + ahead) == word })
    found.foreach(at = _)
    found.isDefined
  }

  /** A foreign key whose parent's columns are left out: Spark 4.2.0 knows the grammar, and fails with a null pointer. */
  def refersWithoutColumns: Boolean = Iterator.range(at, tokens.length).filter(wordAt(_) == "REFERENCES").exists { index =>
    var next = index + 2
    while (wordAt(next) == ".") next += 2
    wordAt(next) != "("
  }

  def accept(words: String*): Boolean = {
    val found = peek(words: _*)
    if (found) at += words.length
    found
  }

  def oneOf(words: String*): Option[String] = words.find(peek(_)).map { word => at += 1; word }

  def expect(words: String*): Unit = if (!accept(words: _*)) throw unexpected(words.mkString(" "))

  /** `a.b.c`, parts back-quoted or not. */
  def name(): Seq[String] = {
    val start = at
    requireName()
    while (wordAt(at) == "." && at + 1 < tokens.length) { at += 1; requireName() }
    parser.parseMultipartIdentifier(slice(start, at))
  }

  def singleName(): String = name() match {
    case Seq(single) => single
    case parts => throw Refused.syntax(s"'${parts.mkString(".")}' should be a name of one part.")
  }

  def string(): String = {
    val start = at
    while (isString(at)) at += 1
    if (at == start) throw unexpected("a text in quotes")
    parser.parseExpression(slice(start, at)).asInstanceOf[Literal].value.toString
  }

  def isString: Boolean = isString(at)

  def stringOrNull(): Option[String] = if (accept("NULL")) None else Some(string())

  /** A pattern, with or without LIKE before it. */
  def pattern(): Option[String] = if (accept("LIKE") || isString) Some(string()) else None

  def atEnd: Boolean = at == tokens.length || (at == tokens.length - 1 && wordAt(at) == ";")

  def expectEnd(): Unit = if (!atEnd) throw unexpected("the end of the statement")

  /** The text with another first word; comments before it stay. */
  def withFirst(word: String): String = replaced(tokens.head, word)

  /** The text without the word just read; what comes after it stays where it was. */
  def withoutLast(): String = {
    val token = tokens(at - 1)
    replaced(token, " " * token.text.length)
  }

  private def replaced(token: SqlToken, word: String): String = {
    val start = text.offsetByCodePoints(0, token.start)
    text.substring(0, start) + word + text.substring(start + token.text.length)
  }

  private def requireName(): Unit = {
    val token = tokens.lift(at).getOrElse(throw unexpected("a name"))
    val isName = token.kind == SqlBaseLexer.BACKQUOTED_IDENTIFIER || token.text.matches("[\\p{L}\\p{N}_]+")
    if (!isName) throw unexpected("a name")
    at += 1
  }

  private def isString(index: Int): Boolean = tokens.lift(index).exists(t =>
    t.kind == SqlBaseLexer.STRING_LITERAL || t.kind == SqlBaseLexer.DOUBLEQUOTED_STRING)

  private def wordAt(index: Int): String = tokens.lift(index).fold("")(_.text.toUpperCase(Locale.ROOT))

  private def slice(from: Int, until: Int): String = {
    val last = tokens(until - 1)
    val start = text.offsetByCodePoints(0, tokens(from).start)
    text.substring(start, text.offsetByCodePoints(0, last.start) + last.text.length)
  }

  private def unexpected(wanted: String) = {
    val place = tokens.lift(at).map(token => s"'${token.text}' (character ${token.start + 1})").getOrElse("the end of the statement")
    Refused.syntax(s"Syntax error at $place: $wanted was expected.")
  }
}
