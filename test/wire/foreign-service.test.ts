import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../harness.ts'

let server: TestServer
before(async () => (server = await startTestServer()))
after(() => server.stop())

const signed = (service: string): Readonly<Record<string, string>> => ({
  authorization:
    `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261130/us-west-2/${service}/aws4_request, ` +
    'SignedHeaders=host, Signature=00',
})

async function answerTo(
  path: string,
  init: {
    readonly method?: string
    readonly headers: Readonly<Record<string, string>>
    body?: string
  },
): Promise<{ readonly status: number; readonly type: string | null; readonly text: string }> {
  const answer = await fetch(new URL(path, server.url), init)
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    text: await answer.text(),
  }
}

const advice = /and (\S+) is not here: set AWS_ENDPOINT_URL_KMS instead of AWS_ENDPOINT_URL/

test('a call of a service that is not here names the variable to set', async () => {
  const json = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AmazonSSM.GetParameter',
  }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const calls = [
    ['ssm', '/', { method: 'POST', headers: { ...json, ...signed('ssm') }, body: '{}' }],
    [
      'sns',
      '/',
      { method: 'POST', headers: { ...form, ...signed('sns') }, body: 'Action=Publish' },
    ],
    ['s3', '/', { headers: signed('s3') }],
    ['s3', '/bucket/key', { method: 'PUT', headers: signed('s3'), body: 'x' }],
    ['lambda', '/2015-03-31/functions', { headers: signed('lambda') }],
  ] as const
  for (const [service, path, init] of calls) {
    const { text, status, type } = await answerTo(path, init)
    assert.equal(advice.exec(text)?.[1], service, `${service} ${path}: ${status} ${text}`)
    assert.ok(status === 400 || status === 404)
    if (service === 's3') {
      assert.equal(type, 'application/xml')
      assert.match(text, /<Error><Code>UnknownOperationException<\/Code>/)
    }
  }
})

test('any other wrong call is answered as before', async () => {
  for (const service of ['kms', 'iam', 'monitoring', '"><script>', 'S3', '']) {
    const { text } = await answerTo('/bucket/key', { headers: signed(service) })
    assert.equal(text, '{"message":"nothing is served at this path"}')
  }
})
