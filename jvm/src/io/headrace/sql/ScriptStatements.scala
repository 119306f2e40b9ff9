package io.headrace.sql

import java.util.Locale

import org.apache.spark.sql.catalyst.parser.SqlBaseLexer

/**
 * Scripts (BEGIN … END) are read whole by Spark's grammar, which knows neither Delta's statements nor ours: within one each
 * of them becomes the EXECUTE IMMEDIATE of its text, which then comes to every parser.
 */
object ScriptStatements {
  private val Before = Set("BEGIN", ";", "THEN", "ELSE", "DO", "LOOP", "REPEAT")
  private val Verbs = Set("OPTIMIZE", "VACUUM", "RESTORE", "UNDROP", "GRANT", "REVOKE", "DENY")
  private val Pairs = Set("CREATE CATALOG", "CREATE VOLUME", "CREATE EXTERNAL", "DROP CATALOG", "DROP VOLUME", "ALTER CATALOG", "ALTER VOLUME",
    "COMMENT ON", "USE CATALOG", "SHOW CATALOGS", "SHOW VOLUMES", "DESCRIBE DETAIL", "DESCRIBE HISTORY", "DESCRIBE CATALOG", "DESCRIBE VOLUME",
    "COPY INTO")
  // A column may have the name of a verb: this is what follows one in an expression.
  private val AfterColumn = Set("", "END", "WHEN", "THEN", "ELSE", "AS", "FROM", "IS", "IN", "AND", "OR", "NOT", "LIKE", "BETWEEN")

  /** The same text where it is no script. */
  def rewrite(text: String): String = {
    val beginning = SqlTokens.of(text.take(1000), 3)
    if (!beginning.exists(_.text.equalsIgnoreCase("BEGIN"))) text
    else rewriteTokens(text, SqlTokens.of(text))
  }

  private def rewriteTokens(text: String, tokens: IndexedSeq[SqlToken]): String = {
    def word(index: Int) = tokens.lift(index).fold("")(_.text.toUpperCase(Locale.ROOT))
    def offset(index: Int) = text.offsetByCodePoints(0, tokens(index).start)
    def isName(index: Int) = tokens.lift(index).exists(t => t.kind == SqlBaseLexer.BACKQUOTED_IDENTIFIER ||
      t.kind == SqlBaseLexer.STRING_LITERAL || (t.text.matches("[\\p{L}_][\\p{L}\\p{N}_]*") && !AfterColumn(word(index))))
    def begins(index: Int) = index > 0 && Before(word(index - 1)) &&
      (Pairs(s"${word(index)} ${word(index + 1)}") || (Verbs(word(index)) && isName(index + 1)))

    val result = new StringBuilder
    var copied, index = 0
    while (index < tokens.length) {
      if (begins(index)) {
        val end = Iterator.range(index, tokens.length).find(word(_) == ";").getOrElse(tokens.length)
        if (Iterator.range(index, end).exists(at => word(at) == ":" && isName(at + 1))) throw new Refused(
          s"${word(index)} within a script takes no parameters: EXECUTE IMMEDIATE of its text, which || joins, does.")
        val until = if (end == tokens.length) text.length else offset(end)
        val statement = text.substring(offset(index), until).trim
        result.append(text.substring(copied, offset(index)))
          .append(s"EXECUTE IMMEDIATE '${statement.replace("\\", "\\\\").replace("'", "\\'")}'")
        copied = until
        index = end
      }
      index += 1
    }
    result.append(text.substring(copied)).toString
  }
}
