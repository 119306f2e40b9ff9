package io.unitycatalog.headrace

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.delta.{DeltaLog, Snapshot}
import org.apache.spark.sql.delta.actions.Metadata

/** What Delta's log says about a table. */
object DeltaFacts {
  // Bookkeeping of Delta's that changes with data, or says nothing to a reader of the catalog.
  private val HiddenPrefixes = Seq("delta.columnMapping.maxColumnId", "delta.rowTracking.materialized")

  def ofMetadata(metadata: Metadata): TableFacts = TableFacts(
    metadata.schema,
    metadata.partitionColumns,
    metadata.configuration.filterNot { case (key, _) => HiddenPrefixes.exists(key.startsWith) },
    Option(metadata.description).filter(_.nonEmpty))

  def ofSnapshot(snapshot: Snapshot): TableFacts = ofMetadata(snapshot.metadata)

  /** After a commit: DeltaLog is shared in the JVM and has just read it, so this costs a listing of the log folder. */
  def ofLog(path: Path): TableFacts = ofSnapshot(DeltaLog.forTable(SparkSession.active, path).update())
}
