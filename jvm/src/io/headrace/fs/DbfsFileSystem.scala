package io.headrace.fs

import java.io.{File, FileNotFoundException, IOException}
import java.net.URI

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs._
import org.apache.hadoop.fs.permission.FsPermission
import org.apache.hadoop.util.Progressable

/**
 * `dbfs:/x` is the file <data root>/dbfs/x, `dbfs:/Volumes/c/s/v/x` is <data root>/volumes/c/s/v/x; conf `headrace.data.root`.
 * Files are plain files at their natural path, without Hadoop's .crc beside them. Nothing outside these two folders can be
 * reached, neither by `..` nor through a symbolic link, with one exception: an external volume is a link
 * <data root>/volumes/c/s/v to a folder below one of conf `headrace.external.locations`, and out of that none leads.
 */
class DbfsFileSystem extends FileSystem {
  private var uri: URI = _
  private var workingDirectory: Path = new Path("dbfs:/")
  private val local = new RawLocalFileSystem()
  private var files: Root = _
  private var volumes: Root = _
  private var externalVolumes: ExternalVolumes = _

  /** A folder that users may see, and what it is called in their paths. */
  private class Root(val folder: File, val prefix: String) {
    folder.mkdirs()
    val realPath: java.nio.file.Path = folder.toPath.toRealPath()
  }

  override def initialize(name: URI, conf: Configuration): Unit = {
    super.initialize(name, conf)
    val dataRoot = Option(conf.get(DbfsFileSystem.DataRootKey)).filter(_.nonEmpty).getOrElse(
      throw new IOException(s"spark.hadoop.${DbfsFileSystem.DataRootKey} is not set, so dbfs:/ has no folder; Headrace's hosts set it."))
    uri = URI.create("dbfs:///")
    files = new Root(new File(dataRoot, "dbfs"), "")
    volumes = new Root(new File(dataRoot, "volumes"), "/Volumes")
    externalVolumes = new ExternalVolumes(volumes.folder, conf.getTrimmedStrings(DbfsFileSystem.ExternalLocationsKey).toSeq)
    local.initialize(URI.create("file:///"), conf)
    setConf(conf)
  }

  override def getUri: URI = uri
  override def getScheme: String = "dbfs"
  override def getWorkingDirectory: Path = workingDirectory
  override def setWorkingDirectory(path: Path): Unit = workingDirectory = path
  override def getDefaultBlockSize(path: Path): Long = local.getDefaultBlockSize(new Path("/"))

  /** The plain file behind a path. */
  def fileOf(path: Path): File = {
    val (root, file) = namedFile(path)
    if (RealPaths.nearest(file.toPath).startsWith(root.realPath)) file
    else externalVolumes.fileOf(file.toPath).getOrElse(throw refused(path))
  }

  /** With its root, whether or not it leads out of it. */
  private def namedFile(path: Path): (Root, File) = {
    val absolute = if (path.isAbsolute) path else new Path(workingDirectory, path)
    val text = absolute.toUri.getPath
    // Hadoop's Path resolves `..` where it can; what remains climbs above the root.
    if (text.split('/').contains("..")) throw refused(path)
    val root = if (text == "/Volumes" || text.startsWith("/Volumes/")) volumes else files
    // Without its leading slash: with it, the root itself would be another File than its folder.
    (root, new File(root.folder, text.stripPrefix(root.prefix).stripPrefix("/")))
  }

  override def open(path: Path, bufferSize: Int): FSDataInputStream = local.open(localPath(path), bufferSize)

  override def create(
      path: Path, permission: FsPermission, overwrite: Boolean, bufferSize: Int, replication: Short, blockSize: Long,
      progress: Progressable): FSDataOutputStream =
    local.create(localPath(path), overwrite, bufferSize, replication, blockSize, progress)

  override def append(path: Path, bufferSize: Int, progress: Progressable): FSDataOutputStream =
    local.append(localPath(path), bufferSize, progress)

  /** One rename of the operating system, so atomic, but to or from an external volume on another disk: that is a copy. */
  override def rename(from: Path, to: Path): Boolean = {
    refuseRoot(from, "renamed")
    if (isExternalVolume(from)) throw new IOException(s"$from is an external volume and cannot be renamed")
    local.rename(localPath(from), localPath(to))
  }

  override def delete(path: Path, recursive: Boolean): Boolean = {
    refuseRoot(path, "deleted")
    val file = fileOf(path)
    // The folder is not ours: to overwrite all that a volume holds, Spark deletes the volume first.
    if (isExternalVolume(path)) recursive && file.listFiles().forall(child => local.delete(new Path(child.toURI), true))
    else local.delete(new Path(file.toURI), recursive)
  }

  override def listStatus(path: Path): Array[FileStatus] = {
    val listsItself = fileOf(path).isFile // listing a file gives the file
    local.listStatus(localPath(path)).map { status =>
      userStatus(status, if (listsItself) makeQualified(path) else new Path(makeQualified(path), status.getPath.getName))
    }
  }

  override def getFileStatus(path: Path): FileStatus =
    try userStatus(local.getFileStatus(localPath(path)), makeQualified(path))
    catch { case _: FileNotFoundException => throw new FileNotFoundException(s"$path does not exist") }

  override def mkdirs(path: Path, permission: FsPermission): Boolean = local.mkdirs(localPath(path))
  override def setPermission(path: Path, permission: FsPermission): Unit = local.setPermission(localPath(path), permission)
  override def setTimes(path: Path, modifiedMs: Long, accessedMs: Long): Unit = local.setTimes(localPath(path), modifiedMs, accessedMs)
  override def getStatus(path: Path): FsStatus = local.getStatus(new Path(files.folder.toURI))
  override def truncate(path: Path, length: Long): Boolean = local.truncate(localPath(path), length)

  private def localPath(path: Path): Path = new Path(fileOf(path).toURI)

  private def userStatus(status: FileStatus, path: Path) = new FileStatus(
    status.getLen, status.isDirectory, status.getReplication, status.getBlockSize, status.getModificationTime,
    status.getAccessTime, status.getPermission, status.getOwner, status.getGroup, path)

  private def isExternalVolume(path: Path): Boolean = externalVolumes.isOne(namedFile(path)._2.toPath)

  private def refuseRoot(path: Path, done: String): Unit = {
    val file = fileOf(path)
    val isGroup = Option(file.getParentFile).exists(above => above == volumes.folder || above.getParentFile == volumes.folder)
    if (file == files.folder || file == volumes.folder) throw new IOException(s"$path is a root and cannot be $done")
    if (isGroup) throw new IOException(s"$path is the folder of a catalog or a schema and cannot be $done")
  }

  private def refused(path: Path) = new IOException(s"$path leads outside of dbfs:/ and is refused")
}

object DbfsFileSystem {
  val DataRootKey = "headrace.data.root"
  /** Separated by commas. */
  val ExternalLocationsKey = "headrace.external.locations"
}
