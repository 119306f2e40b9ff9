package io.headrace.fs

import java.io.File
import java.nio.file.{Files, Path, Paths}

import scala.util.Try

/**
 * Volumes whose folder lies outside of the data root: links at <volumes>/<catalog>/<schema>/<volume>, which the server makes.
 * A task may plant such a link too; so where it leads is looked at, at each use, as the server does.
 */
private[fs] class ExternalVolumes(volumes: File, allowedLocations: Seq[String]) {
  private val dataRoot = volumes.toPath.toRealPath().getParent
  private val depth = 3

  /** The file, links resolved up to the volume's folder; None for what is in no allowed volume, or leads out of it. */
  def fileOf(file: Path): Option[File] = {
    val parts = volumes.toPath.relativize(file)
    if (allowedLocations.isEmpty || !file.startsWith(volumes.toPath) || parts.getNameCount < depth) return None
    for {
      folder <- folderOf(volumes.toPath.resolve(parts.subpath(0, depth)))
      inside = if (parts.getNameCount == depth) folder else folder.resolve(parts.subpath(depth, parts.getNameCount))
      if RealPaths.nearest(inside).startsWith(folder)
    } yield inside.toFile
  }

  /** Whether a path is that of a volume itself. */
  def isOne(file: Path): Boolean =
    allowedLocations.nonEmpty && file.startsWith(volumes.toPath) &&
      file.getNameCount == volumes.toPath.getNameCount + depth && folderOf(file).isDefined

  private def folderOf(volume: Path): Option[Path] =
    Some(volume)
      .filter(link => Files.isSymbolicLink(link) && RealPaths.nearest(link.getParent).startsWith(volumes.toPath.toRealPath()))
      .flatMap(link => Try(link.toRealPath()).toOption)
      .filter(isAllowed)

  private def isAllowed(folder: Path): Boolean =
    !folder.startsWith(dataRoot) && !dataRoot.startsWith(folder) &&
      allowedLocations.exists(allowed => Try(Paths.get(allowed).toRealPath()).toOption.exists(folder.startsWith))
}

private[fs] object RealPaths {
  /** Symbolic links resolved, for the part of the path that exists. */
  def nearest(file: Path): Path = {
    var existing = file
    while (!Files.exists(existing)) {
      if (Files.isSymbolicLink(existing)) return existing.getRoot // dangling: where it points is unknown
      existing = existing.getParent
    }
    existing.toRealPath()
  }

  /** The same with the rest of the path, which does not exist. */
  def whole(file: Path): Path = {
    var existing = file
    while (!Files.exists(existing) && existing.getParent != null) existing = existing.getParent
    existing.toRealPath().resolve(existing.relativize(file)).normalize()
  }
}
