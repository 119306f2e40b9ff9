package io.unitycatalog.headrace

import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException
import org.apache.spark.sql.connector.catalog.Identifier

/**
 * Spark's identifiers → names on the wire: one schema level, lower case.
 * A name with a dot, a slash or a space can be no table of ours (full names are joined by dots), so looking one up needs no request;
 * that is also how delta.`/path` falls through to Delta's path tables.
 */
object TableNames {
  private val NameLengthMax = 255 // Unity Catalog's own limit

  def isWireName(name: String): Boolean =
    name.nonEmpty && name.length <= NameLengthMax && !name.exists(c => c == '.' || c == '/' || c == ' ' || c.isControl)

  def wireName(ident: Identifier): Option[TableName] =
    Option.when(ident.namespace.length == 1 && isWireName(ident.namespace.head) && isWireName(ident.name))(
      TableName(ident.namespace.head.toLowerCase, ident.name.toLowerCase))

  /** For statements that make a name. */
  def requireWireName(catalog: String, ident: Identifier): TableName = {
    if (ident.namespace.length != 1) throw new IllegalArgumentException(
      s"${ident.namespace.headOption.getOrElse(ident.name)} is not a catalog, and a table in catalog $catalog is named $catalog.<schema>.<table>: " +
        s"there can be no table ${(ident.namespace :+ ident.name).mkString(".")}.")
    requireName(ident.namespace.head)
    requireName(ident.name)
    wireName(ident).get
  }

  def schemaName(catalog: String, namespace: Array[String]): String = {
    if (namespace.length != 1 || !isWireName(namespace.head)) throw new NoSuchNamespaceException(catalog +: namespace)
    namespace.head.toLowerCase
  }

  def requireSchemaName(catalog: String, namespace: Array[String]): String = {
    if (namespace.length != 1) throw new IllegalArgumentException(
      s"Catalog $catalog has one level of schemas: ${(catalog +: namespace).mkString(".")} is not a schema's name.")
    requireName(namespace.head)
    if (InformationSchema.isIt(namespace)) throw new IllegalArgumentException(
      s"$catalog.${InformationSchema.Name} is the catalog's description of itself: no schema can be made of that name.")
    namespace.head.toLowerCase
  }

  /**
   * The new name of `ALTER TABLE … RENAME TO x`, which Spark passes on as the user wrote it:
   * `t` stays in its schema, `s.t` moves to schema s, `c.s.t` names this catalog again.
   */
  def renameTarget(catalog: String, from: Identifier, to: Identifier): TableName = to.namespace match {
    case Array() => requireWireName(catalog, Identifier.of(from.namespace, to.name))
    case Array(_) => requireWireName(catalog, to)
    case Array(other, schema) if other.equalsIgnoreCase(catalog) => requireWireName(catalog, Identifier.of(Array(schema), to.name))
    case _ => throw new UnsupportedOperationException(
      s"A table cannot be renamed into another catalog (from $catalog to ${to.namespace.head}): create it there from a SELECT, then drop this one.")
  }

  private def requireName(name: String): Unit = if (!isWireName(name)) throw new IllegalArgumentException(
    s"'$name' cannot be the name of a table or schema: names have 1 to $NameLengthMax characters, without '.', '/', spaces and control characters.")
}
