import { expect, test } from 'vitest';
import { parseS3Url } from './s3-settings.ts';

test('a bucket of Amazon’s needs no more than its name and region', () => {
  expect(parseS3Url('s3://my-bucket?region=eu-central-1')).toEqual({
    bucket: 'my-bucket',
    prefix: '',
    endpoint: null,
    region: 'eu-central-1',
    isPathStyle: false,
  });
});

test('another server is told by its endpoint, and has the bucket in the path unless told', () => {
  expect(parseS3Url('s3://b-1/some/where/?endpoint=http://127.0.0.1:9000')).toEqual({
    bucket: 'b-1',
    prefix: 'some/where/',
    endpoint: 'http://127.0.0.1:9000',
    region: null,
    isPathStyle: true,
  });
  expect(parseS3Url('s3://b-1?endpoint=https://s3.example.org&path_style=false')).toMatchObject({
    isPathStyle: false,
  });
});

test.each([
  ['https://bucket/x', 'must be s3://'],
  ['nonsense', 'must be s3://'],
  ['s3://key:hunter2@bucket/x', 'must hold no keys'],
  ['s3://b/x', '3 to 63'],
  ['s3://Bucket_1/x', '3 to 63'],
  ['s3://bucket/a/../../b c', 'plain names'],
  ['s3://bucket/x?secret=hunter2', 'unknown parameter'],
  ['s3://bucket/x?endpoint=ftp://host', 'endpoint must be'],
  ['s3://bucket/x?endpoint=http://id:hunter2@host', 'endpoint must be'],
  ['s3://bucket/x?path_style=maybe', 'path_style must be'],
])('%s is refused: %s', (url, reason) => {
  const parsed = parseS3Url(url);

  expect(parsed).toContain(reason);
  expect(parsed).not.toContain('hunter2');
});
