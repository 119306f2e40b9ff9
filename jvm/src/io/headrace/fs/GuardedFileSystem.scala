package io.headrace.fs

import java.io.File
import java.net.URI
import java.nio.file.{Files, Path => LocalPath, Paths}

import scala.util.Try

import io.headrace.sql.Refused
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs._
import org.apache.hadoop.fs.permission.FsPermission

/**
 * `file:` in a JVM that runs SQL alone: files that SQL may name and no others, wherever a statement, a view, an option or
 * Delta's log got the path from. Links are resolved at each access. Set as `fs.file.impl`, so that no statement decides it.
 */
class GuardedFileSystem extends LocalFileSystem(new GuardedRawFileSystem)

/** The same for those of Spark that ask for a FileContext. */
class GuardedLocalFs(uri: URI, conf: Configuration) extends DelegateToFileSystem(uri, new GuardedRawFileSystem, conf, "file", false) {
  override def getUriDefaultPort: Int = -1
}

class GuardedRawFileSystem extends RawLocalFileSystem {
  private var guard: PathGuard = _

  override def initialize(uri: URI, conf: Configuration): Unit = {
    super.initialize(uri, conf)
    guard = new PathGuard(conf)
  }

  /** Whatever is done with a path comes by here. */
  override def pathToFile(path: Path): File = {
    val file = super.pathToFile(path)
    if (!guard.allows(file.toPath)) throw guard.refusal(path)
    file
  }

  /** An overwritten folder is deleted first: one that holds what is others' would take that with it. */
  override def delete(path: Path, recursive: Boolean): Boolean = super.delete(removable(path), recursive)
  override def rename(from: Path, to: Path): Boolean = super.rename(removable(from), removable(to))

  private def removable(path: Path): Path = {
    if (guard.keeps(pathToFile(path).toPath)) throw guard.refusalToRemove(path)
    path
  }

  /** Hadoop looks at the parents of a folder, which may lie outside: none are missing for one that is there. */
  override def mkdirs(path: Path): Boolean = pathToFile(path).isDirectory || super.mkdirs(path)
  override def mkdirs(path: Path, permission: FsPermission): Boolean = pathToFile(path).isDirectory || super.mkdirs(path, permission)
}

/**
 * What SQL may name: of the data root the folders that people use, what HEADRACE_EXTERNAL_LOCATIONS names, and a few
 * folders of the JVM's own. Not the rest of the data root and of the state folder, even where a location is around them.
 */
class PathGuard(conf: Configuration) {
  import PathGuard._

  private val dataRoot = Paths.get(conf.get(DbfsFileSystem.DataRootKey))
  private val open = Seq("managed", "volumes", "dbfs", "workspace").map(dataRoot.resolve)
  private val own = folders(OwnKey)
  /** How many levels below it are folders of catalogs, of schemas and, last, of volumes. */
  private val keptLevels = Seq(dataRoot.resolve("managed") -> 2, dataRoot.resolve("volumes") -> 3)
  // What is missing is made below what is there, which of these lies outside.
  (open ++ own).foreach(_.toFile.mkdirs())
  private val closed = folders(ClosedKey) :+ dataRoot
  private val external = folders(DbfsFileSystem.ExternalLocationsKey)

  private def folders(key: String): Seq[LocalPath] = conf.getTrimmedStrings(key).toSeq.filter(_.nonEmpty).map(Paths.get(_))

  def allows(file: LocalPath): Boolean = {
    val real = RealPaths.nearest(file.normalize())
    isWithin(open ++ own, real) || (!isWithin(closed, real) && isWithin(external, real))
  }

  /** Folders that are never removed or replaced, for they hold what belongs to many. */
  def keeps(file: LocalPath): Boolean = {
    val named = file.normalize()
    // A volume may be a link: both it and the folder that it leads to stay.
    val link = Option(named.getParent).map(RealPaths.whole(_).resolve(named.getFileName))
    (Seq(named, RealPaths.whole(named)) ++ link).distinct.exists(isKept)
  }

  private def isKept(path: LocalPath): Boolean = {
    val holdsRoot = (open ++ external).flatMap(spellings).exists(_.startsWith(path))
    val isLevel = keptLevels.exists { case (root, levels) =>
      spellings(root).exists(spelled => path.startsWith(spelled) && path.getNameCount - spelled.getNameCount <= levels)
    }
    holdsRoot || isLevel || isOfManagedLocation(path)
  }

  /** The folders of `<location>/__headrace/{tables,volumes}`, and a volume's own. */
  private def isOfManagedLocation(path: LocalPath): Boolean = {
    val last = (0 until path.getNameCount).map(path.getName(_).toString).takeRight(3)
    last.lastOption.contains(OwnFolder) || last.takeRight(2).headOption.contains(OwnFolder) ||
      last.startsWith(Seq(OwnFolder, "volumes")) || Files.exists(path.resolve(OwnFolder))
  }

  private def spellings(folder: LocalPath): Seq[LocalPath] = (folder.normalize() +: realOf(folder).toSeq).distinct

  def refusalToRemove(path: Path): Refused = new Refused(
    s"SQL may not delete, replace or rename $path: it is a root, or the folder of a catalog, a schema, a volume or a location; name a folder below it.",
    "PATH_NOT_ALLOWED", "42501")

  def refusal(path: Path): Refused = new Refused(
    s"SQL may not use $path: it may read and write volumes, /Workspace, dbfs:/, the folders of tables" +
      (if (external.isEmpty) "; this server allows no other folder." else s", and ${external.mkString(", ")}."),
    "PATH_NOT_ALLOWED", "42501")

  private def isWithin(folders: Seq[LocalPath], real: LocalPath) = folders.exists(realOf(_).exists(real.startsWith))

  private def realOf(folder: LocalPath): Option[LocalPath] = Try(folder.toRealPath()).toOption
}

object PathGuard {
  /** Separated by commas. */
  val OwnKey = "headrace.guard.own"
  val ClosedKey = "headrace.guard.closed"
  /** Within a managed location, as the server names it. */
  private val OwnFolder = "__headrace"
}
