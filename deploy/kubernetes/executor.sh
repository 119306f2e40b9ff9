#!/bin/sh
# What an executor's container runs. Spark's driver gives the words and the variables that its own images take:
# https://github.com/apache/spark/blob/v4.0.0/resource-managers/kubernetes/docker/src/main/dockerfiles/spark/entrypoint.sh
# Ours come from the Pod's template, which the worker writes (packages/worker/src/hosts/kubernetes/spark-on-pods.ts).
set -eu

if [ "${1:-}" != executor ]; then
  echo "this container runs executors only, not: $*" >&2
  exit 2
fi

# SPARK_JAVA_OPT_0, _1, …: one option each, which may hold blanks.
set --
index=0
while value=$(printenv "SPARK_JAVA_OPT_$index"); do
  # The Java that set-up brings lacks this module, and Spark does without it.
  [ "$value" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$value"
  index=$((index + 1))
done

# Options of the image are words without blanks.
# shellcheck disable=SC2086
exec "$HEADRACE_JAVA" ${HEADRACE_JVM_OPTIONS:-} "$@" \
  "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" -XX:+ExitOnOutOfMemoryError \
  -cp "${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$HEADRACE_CLASS_PATH" \
  org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
  --driver-url "$SPARK_DRIVER_URL" \
  --executor-id "$SPARK_EXECUTOR_ID" \
  --cores "$SPARK_EXECUTOR_CORES" \
  --app-id "$SPARK_APPLICATION_ID" \
  --hostname "$SPARK_EXECUTOR_POD_IP" \
  --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
  --podName "$SPARK_EXECUTOR_POD_NAME"
