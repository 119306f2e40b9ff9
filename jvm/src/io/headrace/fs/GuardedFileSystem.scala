package io.headrace.fs

import java.io.File
import java.net.URI
import java.nio.file.{Path => LocalPath, Paths}

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
  // What is missing is made below what is there, which of these lies outside.
  (open ++ own).foreach(_.toFile.mkdirs())
  private val closed = folders(ClosedKey) :+ dataRoot
  private val external = folders(DbfsFileSystem.ExternalLocationsKey)

  private def folders(key: String): Seq[LocalPath] = conf.getTrimmedStrings(key).toSeq.filter(_.nonEmpty).map(Paths.get(_))

  def allows(file: LocalPath): Boolean = {
    val real = RealPaths.nearest(file.normalize())
    isWithin(open ++ own, real) || (!isWithin(closed, real) && isWithin(external, real))
  }

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
}
