package io.unitycatalog.headrace

import java.lang.ref.WeakReference
import java.util.concurrent.ConcurrentHashMap

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.delta.actions.{Action, Metadata}

/**
 * Keeps the catalog's columns, comment and properties true to Delta's log.
 *
 * Delta tells an external catalog about new tables only. So AtomicLogStore, through which every commit of this JVM passes,
 * reports each commit that carries table metadata (ALTER, REPLACE, mergeSchema, overwriteSchema, MERGE WITH SCHEMA EVOLUTION,
 * RESTORE, streams), and a session that loaded the table by name writes it to the server before the statement returns.
 * The commit stands whatever the server answers: what is missed here is made good when the table is next loaded
 * (HeadraceCatalog.loadTable), which also covers writers that know only the path.
 */
object CommitFollower extends Logging {
  private case class Watcher(catalog: WeakReference[HeadraceCatalog], name: TableName)

  private val PathsMax = 10000 // forgotten all at once beyond that: following then waits for the next load

  // By the table's folder: the last session that loaded it, per session.
  private val watchers = new ConcurrentHashMap[String, List[Watcher]]()

  def watch(folder: String, catalog: HeadraceCatalog, name: TableName): Unit = {
    if (watchers.size >= PathsMax) watchers.clear()
    watchers.compute(folder, (_, known) => {
      val others = Option(known).getOrElse(Nil).filter(w => w.catalog.get != null && !(w.catalog.get eq catalog))
      Watcher(new WeakReference(catalog), name) :: others
    })
  }

  /** `actions` are the lines of the commit that are metadata: normally one. Never throws. */
  def committed(folder: String, actions: Seq[String]): Unit =
    try {
      for (watcher <- watcherFor(folder); metadata <- actions.map(Action.fromJson).collectFirst { case m: Metadata => m })
        Option(watcher.catalog.get).foreach(_.follow(watcher.name, DeltaFacts.ofMetadata(metadata)))
    } catch {
      case NonFatal(e) => logWarning(s"The catalog's columns of the table in $folder follow when it is next loaded: ${e.getMessage}")
    }

  /**
   * The committing session's own catalog if it has one, else the last session that loaded the table: a stream commits in a
   * session cloned from its query's. All sessions of a host act for one principal.
   */
  private def watcherFor(folder: String): Option[Watcher] = {
    val living = Option(watchers.get(folder)).getOrElse(Nil).filter(_.catalog.get != null)
    living.find(w => Option(w.catalog.get).exists(c => SparkSession.getActiveSession.exists(_ eq c.session))).orElse(living.headOption)
  }
}
