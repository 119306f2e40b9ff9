package io.headrace.sql

import org.apache.spark.sql.catalyst.parser.ParserInterface
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan

/** What a text is: a statement of ours, or a text for the next parser, maybe in words that it knows. */
sealed trait Reading
case class Ours(plan: LogicalPlan) extends Reading
case class Theirs(text: String) extends Reading

/** Reads the statements on catalogs that Spark's and Delta's grammars lack. */
class StatementReader(next: ParserInterface) {
  def read(text: String): Reading = {
    val beginning = SqlTokens.of(text.take(StatementReader.BeginningMax), StatementReader.LookMax)
    val words = new Words(text, beginning, next)
    if (!StatementReader.mayBeOurs(words)) Theirs(text)
    else readWhole(text, new Words(text, SqlTokens.of(text.take(StatementReader.WholeMax)), next))
  }

  private def readWhole(text: String, words: Words): Reading = words.oneOf(StatementReader.Verbs: _*).get match {
    case "CREATE" => readCreate(text, words)
    case "DROP" => readDrop(text, words)
    case "ALTER" => readAlter(text, words)
    case "SHOW" => readShow(text, words)
    case "DESCRIBE" | "DESC" => readDescribe(text, words)
    case "COMMENT" => readComment(text, words)
    case "USE" =>
      words.expect("CATALOG")
      Theirs(words.withFirst("SET")) // Spark's own word for it, at the same length
    case "UNDROP" => readUndrop(words)
    case "ANALYZE" =>
      words.expect("TABLE")
      words.name()
      if (words.accept("COMPUTE", "DELTA")) Theirs(words.withoutLast()) else Theirs(text)
    case verb => throw StatementReader.refusals(verb)
  }

  private def readCreate(text: String, words: Words): Reading = {
    val replaces = words.accept("OR", "REPLACE")
    words.oneOf("CATALOG", "SCHEMA", "DATABASE", "VOLUME", "EXTERNAL", "FUNCTION", "TABLE", "MATERIALIZED", "STREAMING") match {
      case Some("CATALOG") if !replaces => createCatalog(words)
      case Some("SCHEMA" | "DATABASE") =>
        words.accept("IF", "NOT", "EXISTS")
        words.name()
        // Spark's own word for it is LOCATION alone, which on the hosted product is none.
        if (words.seek("MANAGED", "LOCATION")) { words.accept("MANAGED"); Theirs(words.withoutLast()) }
        else if (words.seek("LOCATION")) throw StatementReader.schemaLocation
        else Theirs(text)
      case Some("VOLUME") if !replaces => createVolume(words, isExternal = false)
      case Some("EXTERNAL") if words.accept("VOLUME") => createVolume(words, isExternal = true)
      case Some("FUNCTION") => throw StatementReader.functions
      case Some("MATERIALIZED" | "STREAMING") => throw StatementReader.pipelines
      case Some("TABLE") =>
        words.accept("IF", "NOT", "EXISTS")
        words.name()
        if (words.peek("DEEP", "CLONE") || words.peek("CLONE")) throw StatementReader.deepClone
        if (words.follow("CLUSTER", "BY", "AUTO")) throw StatementReader.clusterByAuto
        if (words.follow("FOREIGN", "KEY") && words.refersWithoutColumns) throw StatementReader.parentColumns
        Theirs(text)
      case _ => Theirs(text)
    }
  }

  private def createCatalog(words: Words): Reading = {
    val ifNotExists = words.accept("IF", "NOT", "EXISTS")
    val name = words.singleName()
    var location, comment: Option[String] = None
    while (!words.atEnd) words.oneOf("COMMENT", "MANAGED") match {
      case Some("COMMENT") => comment = Some(words.string())
      case Some(_) => words.expect("LOCATION"); location = Some(words.string())
      case None => words.expectEnd()
    }
    Ours(CreateCatalog(name, ifNotExists, location, comment))
  }

  private def createVolume(words: Words, isExternal: Boolean): Reading = {
    val ifNotExists = words.accept("IF", "NOT", "EXISTS")
    val name = words.name()
    var location, comment: Option[String] = None
    while (!words.atEnd) words.oneOf("LOCATION", "COMMENT") match {
      case Some("LOCATION") => location = Some(words.string())
      case Some(_) => comment = Some(words.string())
      case None => words.expectEnd()
    }
    if (isExternal && location.isEmpty) throw Refused.syntax("CREATE EXTERNAL VOLUME needs a LOCATION.")
    if (!isExternal && location.isDefined) throw Refused.syntax("A volume with a LOCATION is external: write CREATE EXTERNAL VOLUME.")
    Ours(CreateVolume(name, ifNotExists, location, comment))
  }

  private def readDrop(text: String, words: Words): Reading = {
    def ifExists() = words.accept("IF", "EXISTS")
    words.oneOf("CATALOG", "VOLUME", "FUNCTION") match {
      case Some("CATALOG") =>
        val plan = DropCatalog.tupled((ifExists(), words.singleName(), words.oneOf("RESTRICT", "CASCADE").contains("CASCADE")))
        words.expectEnd()
        Ours(plan)
      case Some("VOLUME") =>
        val plan = DropVolume.tupled((ifExists(), words.name()))
        words.expectEnd()
        Ours(plan)
      case Some(_) if !ifExists() => throw StatementReader.functions
      case _ => Theirs(text)
    }
  }

  private def readAlter(text: String, words: Words): Reading =
    words.oneOf("CATALOG", "SCHEMA", "DATABASE", "TABLE", "VIEW", "VOLUME").map { kind =>
      val name = words.name()
      val sets = words.accept("SET")
      if (words.accept("OWNER", "TO")) {
        val owner = if (words.isString) words.string() else words.singleName()
        words.expectEnd()
        Ours(SetOwner(kind.replace("DATABASE", "SCHEMA"), name, owner))
      } else if (kind == "VOLUME" && !sets && words.accept("RENAME", "TO")) {
        val newName = words.name()
        words.expectEnd()
        Ours(RenameVolume(name, newName))
      } else if (isGoverned(words, sets)) throw StatementReader.governance
      else if (kind == "CATALOG") throw new Refused("Of a catalog only the owner can be altered, and the comment: COMMENT ON CATALOG.")
      else if (kind == "VOLUME") throw new Refused("Of a volume only the name and the owner can be altered, and the comment: COMMENT ON VOLUME.")
      else if (words.follow("CLUSTER", "BY", "AUTO")) throw StatementReader.clusterByAuto
      else if (words.follow("FOREIGN", "KEY") && words.refersWithoutColumns) throw StatementReader.parentColumns
      else Theirs(text)
    }.getOrElse(Theirs(text))

  private def isGoverned(words: Words, sets: Boolean): Boolean = StatementReader.Governed.exists { what =>
    (sets && words.peek(what: _*)) || Seq("SET", "UNSET", "DROP").exists(verb => words.follow(verb +: what: _*))
  }

  private def readShow(text: String, words: Words): Reading = words.oneOf("CATALOGS", "VOLUMES", "GRANTS", "GRANT", "TABLES") match {
    case Some("CATALOGS") =>
      val pattern = words.pattern()
      words.expectEnd()
      Ours(ShowCatalogs(pattern))
    case Some("VOLUMES") =>
      val schema = words.oneOf("IN", "FROM").map(_ => words.name())
      val pattern = words.pattern()
      words.expectEnd()
      Ours(ShowVolumes(schema, pattern))
    case Some("TABLES") if words.accept("DROPPED") =>
      val schema = words.oneOf("IN", "FROM").map(_ => words.name())
      words.expectEnd()
      Ours(ShowDroppedTables(schema))
    case Some("GRANTS" | "GRANT") => throw StatementReader.grants
    case _ => Theirs(text)
  }

  private def readDescribe(text: String, words: Words): Reading = words.oneOf("CATALOG", "VOLUME") match {
    case Some(kind) if !words.atEnd && !words.peek(".") =>
      val isExtended = words.accept("EXTENDED")
      val name = words.name()
      words.expectEnd()
      Ours(if (kind == "VOLUME") DescribeVolume(name) else DescribeCatalog(name.mkString("."), isExtended))
    case _ => Theirs(text)
  }

  private def readComment(text: String, words: Words): Reading = {
    words.expect("ON")
    words.oneOf("COLUMN", "CATALOG", "VOLUME") match {
      case Some("COLUMN") =>
        val name = words.name()
        words.expect("IS")
        val comment = words.stringOrNull()
        words.expectEnd()
        def quoted(parts: Seq[String]) = parts.map(part => s"`${part.replace("`", "``")}`").mkString(".")
        val text = comment.getOrElse("").replace("\\", "\\\\").replace("'", "\\'")
        Theirs(s"ALTER TABLE ${quoted(name.init)} ALTER COLUMN ${quoted(Seq(name.last))} COMMENT '$text'")
      case Some(kind) =>
        val name = words.name()
        words.expect("IS")
        val comment = words.stringOrNull().getOrElse("")
        words.expectEnd()
        Ours(SetComment(kind, name, comment))
      case None => Theirs(text)
    }
  }

  private def readUndrop(words: Words): Reading = {
    if (words.oneOf("TABLE").isEmpty) throw new Refused("Only tables can be taken back: UNDROP TABLE <name>.")
    if (words.peek("WITH", "ID")) { words.accept("WITH", "ID"); val id = words.string(); words.expectEnd(); Ours(Undrop(Nil, Some(id))) }
    else { val name = words.name(); words.expectEnd(); Ours(Undrop(name, None)) }
  }
}

object StatementReader {
  private val LookMax = 3
  // Comments may come first; a statement of ours whose first words lie further on is read as Spark reads it.
  private val BeginningMax = 10000
  private val Verbs = Seq("CREATE", "DROP", "ALTER", "SHOW", "DESCRIBE", "DESC", "COMMENT", "USE", "UNDROP", "ANALYZE",
    "GRANT", "REVOKE", "DENY", "COPY")
  private val SecondWords = Map(
    "CREATE" -> Set("CATALOG", "SCHEMA", "DATABASE", "VOLUME", "EXTERNAL", "FUNCTION", "TABLE", "OR", "MATERIALIZED", "STREAMING"),
    "DROP" -> Set("CATALOG", "VOLUME", "FUNCTION"),
    "ALTER" -> Set("CATALOG", "SCHEMA", "DATABASE", "TABLE", "VIEW", "VOLUME"),
    "SHOW" -> Set("CATALOGS", "VOLUMES", "GRANTS", "GRANT", "TABLES"),
    "DESCRIBE" -> Set("CATALOG", "VOLUME"), "DESC" -> Set("CATALOG", "VOLUME"),
    "COMMENT" -> Set("ON"), "USE" -> Set("CATALOG"), "ANALYZE" -> Set("TABLE"), "COPY" -> Set("INTO"))
  // Longer ones are queries with a name before them, whose names stand at the beginning.
  private val WholeMax = 100000
  private val Governed = Seq(Seq("TAGS"), Seq("ROW", "FILTER"), Seq("MASK"))

  private def mayBeOurs(words: Words): Boolean = words.oneOf(Verbs: _*).exists { verb =>
    SecondWords.get(verb).forall(_.exists(words.peek(_)))
  }

  private val grants = new Refused(
    "Grants are not kept yet: every user of this server may use all catalogs. Leave GRANT, REVOKE, DENY and SHOW GRANTS out.")
  private def refusals(verb: String): Refused = verb match {
    case "COPY" => new Refused("COPY INTO is not supported yet: INSERT INTO … SELECT from read_files or a path (csv.`/Volumes/…`), or a stream, does the same.")
    case _ => grants
  }
  private val schemaLocation = new Refused("A schema has a MANAGED LOCATION, below which its tables live: write MANAGED LOCATION.")
  private val parentColumns = Refused.syntax("A FOREIGN KEY names the columns that it refers to: REFERENCES parent (a, b).")
  private val governance = new Refused("Tags, row filters and column masks are not kept yet: leave the statement out.")
  private val functions = new Refused(
    "Functions are not kept in catalogs yet: CREATE TEMPORARY FUNCTION makes one for the session.")
  private val pipelines = new Refused(
    "Materialized views and streaming tables belong to pipelines, which are not supported yet: a view, or a table that a job refreshes, does for many.")
  private val deepClone = new Refused(
    "Delta has no deep clones outside of the hosted product: CREATE TABLE … AS SELECT * copies the rows, SHALLOW CLONE shares the files.")
  private val clusterByAuto = new Refused(
    "CLUSTER BY AUTO chooses columns by watching queries, which nothing here does: name the columns, CLUSTER BY (a, b).")
}
