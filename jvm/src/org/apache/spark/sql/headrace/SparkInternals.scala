package org.apache.spark.sql.headrace

import org.apache.spark.sql.catalyst.catalog.CatalogTable
import org.apache.spark.sql.connector.catalog.{CatalogV2Util, Column, Table, V1Table}
import org.apache.spark.sql.types.StructType

/** The few things of Spark that are visible only below org.apache.spark.sql. Nothing else may live in this package. */
object SparkInternals {
  def tableOf(table: CatalogTable): Table = V1Table(table)

  def columnsOf(schema: StructType): Array[Column] = CatalogV2Util.structTypeToV2Columns(schema)

  def schemaOf(columns: Array[Column]): StructType = CatalogV2Util.v2ColumnsToStructType(columns)
}
