/** `s3://bucket/prefix?endpoint=…&region=…&path_style=…`: where the bucket is. Keys to it never stand in the URL. */
export interface S3Settings {
  readonly bucket: string;
  /** Empty, or ends with `/`: it goes before every key. */
  readonly prefix: string;
  /** Null: Amazon's own, by region. */
  readonly endpoint: string | null;
  /** Null: as the standard settings of AWS say. */
  readonly region: string | null;
  /** The bucket's name in the path instead of the host name: what most other servers want. */
  readonly isPathStyle: boolean;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const parameters = ['endpoint', 'region', 'path_style'];

/** A string says what is wrong with the URL; it never quotes it, for whoever wrote a secret into it. */
export function parseS3Url(text: string): S3Settings | string {
  const url = URL.parse(text);
  if (url?.protocol !== 's3:') return 'must be s3://<bucket>/<prefix>?endpoint=…&region=…';
  if (url.username !== '' || url.password !== '')
    return 'must hold no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead';
  if (!bucketPattern.test(url.host)) return 'the bucket’s name has 3 to 63 of a-z, 0-9, . and -';
  for (const name of url.searchParams.keys())
    if (!parameters.includes(name)) return `unknown parameter; known are ${parameters.join(', ')}`;
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint !== null && !isEndpoint(endpoint)) return 'endpoint must be http(s)://<host>, without keys';
  const pathStyle = url.searchParams.get('path_style');
  if (pathStyle !== null && !['true', 'false'].includes(pathStyle)) return 'path_style must be true or false';
  const prefix = readPrefix(url.pathname);
  if (prefix === null) return 'the prefix must be plain names with / between them';
  return {
    bucket: url.host,
    prefix,
    endpoint,
    region: url.searchParams.get('region'),
    isPathStyle: pathStyle === null ? endpoint !== null : pathStyle === 'true',
  };
}

function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function readPrefix(pathname: string): string | null {
  const parts = pathname.split('/').filter((part) => part !== '');
  if (parts.length === 0) return '';
  return parts.every((part) => /^[A-Za-z0-9_.=-]{1,100}$/.test(part) && !/^\.+$/.test(part))
    ? `${parts.join('/')}/`
    : null;
}
