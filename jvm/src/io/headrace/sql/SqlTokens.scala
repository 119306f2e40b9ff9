package io.headrace.sql

import scala.collection.mutable

import org.antlr.v4.runtime.{CharStreams, Token}
import org.apache.spark.sql.catalyst.parser.SqlBaseLexer

/** As it is written; where it begins, in characters of Unicode. */
case class SqlToken(kind: Int, text: String, start: Int)

/** A statement's words, by Spark's own lexer: comments, strings and back-quoted names are seen as Spark sees them. */
object SqlTokens {
  /** At most `max` of them. What is no SQL gives an exception or odd tokens: the parser has the words for that. */
  def of(text: String, max: Int = Int.MaxValue): IndexedSeq[SqlToken] = {
    val codePoints = text.codePoints.toArray
    // The lexer knows keywords in capitals only; one character each, so that positions stay those of the text.
    val capitals = codePoints.map(point => Character.toUpperCase(point))
    val lexer = new SqlBaseLexer(CharStreams.fromString(new String(capitals, 0, capitals.length)))
    lexer.removeErrorListeners()
    val found = mutable.ArrayBuffer.empty[SqlToken]
    var token = lexer.nextToken()
    while (token.getType != Token.EOF && found.size < max) {
      if (token.getChannel == Token.DEFAULT_CHANNEL) {
        val start = token.getStartIndex
        found += SqlToken(token.getType, new String(codePoints, start, token.getStopIndex + 1 - start), start)
      }
      token = lexer.nextToken()
    }
    found.toIndexedSeq
  }
}
