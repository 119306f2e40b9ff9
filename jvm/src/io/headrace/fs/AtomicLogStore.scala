package io.headrace.fs

import java.io.File
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{FileAlreadyExistsException, Files, StandardCopyOption, StandardOpenOption}
import java.util

import scala.collection.mutable

import io.delta.storage.HadoopFileSystemLogStore
import io.unitycatalog.headrace.CommitFollower
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, LocalFileSystem, Path}

/**
 * Delta's log on a local disk (schemes `file` and `dbfs`), safe for several JVMs at once.
 *
 * Delta's own choice for these schemes looks whether the commit exists and then renames, under a lock of one JVM: two clusters
 * on one machine could overwrite each other's commit. Here a commit is written aside, forced to disk and given its name by
 * link(2), which fails if the name is taken: exactly one writer wins, and a killed one leaves no half commit.
 * The disk must have hard links (ext4, xfs, btrfs, apfs, NFS; not FAT).
 */
class AtomicLogStore(conf: Configuration) extends HadoopFileSystemLogStore(conf) {

  override def write(path: Path, actions: util.Iterator[String], overwrite: java.lang.Boolean, hadoopConf: Configuration): Unit = {
    val fs = path.getFileSystem(hadoopConf)
    val target = fileOf(fs, path)
    val temporary = new File(target.getParentFile, s".${target.getName}.${util.UUID.randomUUID()}.tmp")
    val metadataActions = mutable.ArrayBuffer.empty[String]
    target.getParentFile.mkdirs()
    try {
      writeDurably(temporary, actions, metadataActions)
      if (overwrite) {
        Files.move(temporary.toPath, target.toPath, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING)
        // Left by Hadoop's checksummed local file system, it would call the new content corrupt.
        Files.deleteIfExists(new File(target.getParentFile, s".${target.getName}.crc").toPath)
      } else {
        try Files.createLink(target.toPath, temporary.toPath)
        catch { case _: FileAlreadyExistsException => throw new FileAlreadyExistsException(path.toString) }
      }
    } finally Files.deleteIfExists(temporary.toPath)
    if (metadataActions.nonEmpty && AtomicLogStore.isCommit(path))
      CommitFollower.committed(path.getParent.getParent.toUri.getPath, metadataActions.toSeq)
  }

  /** True: this store never shows one, but checkpoints are written past it, and Delta renames them into place when this is true. */
  override def isPartialWriteVisible(path: Path, hadoopConf: Configuration): java.lang.Boolean = true

  private def writeDurably(file: File, actions: util.Iterator[String], metadataActions: mutable.ArrayBuffer[String]): Unit = {
    val channel = FileChannel.open(file.toPath, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)
    try {
      while (actions.hasNext) {
        val line = actions.next()
        if (line.startsWith("{\"metaData\"")) metadataActions += line
        val bytes = ByteBuffer.wrap((line + "\n").getBytes(UTF_8))
        while (bytes.hasRemaining) channel.write(bytes)
      }
      channel.force(true)
    } finally channel.close()
  }

  private def fileOf(fs: FileSystem, path: Path): File = fs match {
    case dbfs: DbfsFileSystem => dbfs.fileOf(path)
    case local: LocalFileSystem => local.pathToFile(path) // asks the guard, where there is one
    case _ => new File(path.toUri.getPath)
  }
}

object AtomicLogStore {
  private val CommitName = """\d{20}\.json""".r

  private def isCommit(path: Path): Boolean = path.getParent.getName == "_delta_log" && CommitName.matches(path.getName)
}
