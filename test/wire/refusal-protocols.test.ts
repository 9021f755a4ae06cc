/** What no pipeline answers speaks the protocol of its request all the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { post, rawClient } from './raw-client.ts'
import { gate, running } from './running-listener.ts'

const bounded = { timeout: 30_000 }
const form = 'Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n'
const json = 'Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: TrentService.ListKeys\r\n'
const metrics =
  'Content-Type: application/x-amz-json-1.0\r\n' +
  'X-Amz-Target: GraniteServiceVersion20100801.ListMetrics\r\n'

const never = (): Promise<never> => new Promise(() => {})

test('an overdue call of IAM or STS is answered in XML, of its own service', bounded, async (t) => {
  const listener = await running(t, { handlerMs: 20 }, never)
  for (const [body, namespace] of [
    ['Action=ListUsers&Version=2010-05-08', 'https://iam.amazonaws.com/doc/2010-05-08/'],
    ['Action=GetCallerIdentity&Version=2011-06-15', 'https://sts.amazonaws.com/doc/2011-06-15/'],
  ] as const) {
    const client = rawClient(listener)
    client.write(post(body, form))
    const answer = await client.until(/<\/ErrorResponse>\n$/)
    assert.match(answer, /^HTTP\/1\.1 500 [^]*Content-Type: text\/xml/)
    assert.ok(answer.includes(`<ErrorResponse xmlns="${namespace}">`), answer)
    assert.match(answer, /<Type>Receiver<\/Type><Code>InternalFailure<\/Code>/)
    const id = /<RequestId>([0-9a-f-]{36})<\/RequestId>/.exec(answer)?.[1]
    assert.equal(listener.failures.at(-1)?.requestId, id)
    client.socket.destroy()
  }
  const presigned = rawClient(listener)
  presigned.write(
    'GET /?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature=a HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  assert.match(await presigned.until(/<\/ErrorResponse>\n$/), /sts\.amazonaws\.com/)
  presigned.socket.destroy()
})

test('an overdue call of KMS or CloudWatch is answered in its own JSON', bounded, async (t) => {
  const listener = await running(t, { handlerMs: 20 }, never)
  const kms = rawClient(listener)
  kms.write(post('{}', json))
  const answer = await kms.until(/\}$/)
  assert.match(answer, /^HTTP\/1\.1 500 [^]*application\/x-amz-json-1\.1/)
  assert.match(answer, /\{"__type":"KMSInternalException"\}$/)
  const cloudwatch = rawClient(listener)
  cloudwatch.write(post('{}', metrics))
  const other = await cloudwatch.until(/\}$/)
  assert.match(other, /application\/x-amz-json-1\.0[^]*x-amzn-query-error: InternalServiceError/)
  assert.match(other, /\{"__type":"InternalServiceFault"\}$/)
  for (const { socket } of [kms, cloudwatch]) socket.destroy()
})

test(
  'every refusal before the handler is XML for a form, and JSON for JSON',
  bounded,
  async (t) => {
    const { handler, open, reached } = gate()
    const limits = { bodyBytesMax: 100, headersMax: 10, requestsPerSourceMax: 1, lingerMs: 20 }
    const listener = await running(t, limits, handler)
    const busy = rawClient(listener)
    busy.write(post('', json))
    await reached(1)
    const refusals: readonly (readonly [status: number, bytes: (headers: string) => string])[] = [
      [413, (headers) => post('', `${headers}Content-Length: 101\r\n`)],
      [417, (headers) => post('', `${headers}Expect: 100-continue\r\n`)],
      [400, (headers) => post('', `${headers}Upgrade: h2c\r\nConnection: upgrade\r\n`)],
      [400, (headers) => post('', headers, 'http://localhost/')],
      [431, (headers) => post('', headers + 'x:\r\n'.repeat(11))],
      [503, (headers) => post('', headers)],
    ]
    for (const [status, bytes] of refusals) {
      const [asForm, asJson] = [rawClient(listener), rawClient(listener)]
      asForm.write(bytes(form))
      asJson.write(bytes(json))
      const [xml, text] = await Promise.all([asForm.closed, asJson.closed])
      assert.match(
        xml,
        new RegExp(`^HTTP/1\\.1 ${status} [^]*<ErrorResponse>[^]*<Code>\\w+</Code>`),
      )
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\{"__type":"\\w+"`))
    }
    open()
    await busy.until(/ok$/)
    busy.socket.destroy()
  },
)
