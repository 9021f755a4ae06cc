import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError, type ErrorCode } from '../../src/errors.ts'
import { readBody, readTarget, renderAnswer, renderError } from '../../src/wire/aws-json.ts'
import type { RawRequest } from '../../src/wire/request.ts'

const type = ['Content-Type', 'application/x-amz-json-1.1']

function request(changes: Partial<RawRequest> = {}): RawRequest {
  return {
    listener: 'public',
    method: 'POST',
    target: '/',
    rawHeaders: ['Host', 'localhost', ...type, 'X-Amz-Target', 'TrentService.Encrypt'],
    body: Buffer.from('{"KeyId":"alias/a"}'),
    remoteAddress: '127.0.0.1',
    secure: false,
    signal: new AbortController().signal,
    ...changes,
  }
}

function throwsCode(run: () => unknown, code: ErrorCode): void {
  assert.throws(run, (error) => error instanceof KmsError && error.code === code)
}

const withTarget = (target: string): RawRequest =>
  request({ rawHeaders: [...type, 'x-amz-target', target] })

test('a target names its service and operation', () => {
  assert.deepEqual(readTarget(request()), { service: 'kms', operation: 'Encrypt' })
  const presigned = request({ target: '/?X-Amz-Algorithm=AWS4-HMAC-SHA256' })
  assert.deepEqual(readTarget(presigned), { service: 'kms', operation: 'Encrypt' })
  const input: unknown = Object.assign(Object.create(null), { KeyId: 'alias/a' })
  assert.deepEqual(readBody(presigned), input)
})

test('each listener has services of its own', () => {
  const rawHeaders = [...type, 'X-Amz-Target', 'TrentOperator.Status']
  assert.deepEqual(readTarget(request({ listener: 'operator', rawHeaders })), {
    service: 'trent',
    operation: 'Status',
  })
  throwsCode(() => readTarget(request({ rawHeaders })), 'UnknownOperationException')
  throwsCode(() => readTarget(request({ listener: 'operator' })), 'UnknownOperationException')
})

test('a missing or malformed target is an UnknownOperationException', () => {
  throwsCode(() => readTarget(request({ rawHeaders: type })), 'UnknownOperationException')
  for (const target of [
    '',
    '.',
    'Encrypt',
    '.Encrypt',
    'TrentService',
    'TrentService.',
    'TrentServiceX.Encrypt',
    'TrentService.Encrypt.More',
    'TrentService..Encrypt',
    'TrentService.Encrypt ',
    'DynamoDB_20120810.ListTables',
    'trentservice.Encrypt',
    '__proto__.Encrypt',
    'constructor.name',
    'TrentService.Encr\u00ffpt',
    `TrentService.${'E'.repeat(65)}`,
  ]) {
    throwsCode(() => readTarget(withTarget(target)), 'UnknownOperationException')
  }
})

test('a hostile operation name is bounded and handed on as a name for the registry to refuse', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'E'.repeat(64)]) {
    assert.equal(readTarget(withTarget(`TrentService.${name}`)).operation, name)
  }
})

test('a second target or content type is refused before any is looked at', () => {
  const { rawHeaders } = request()
  for (const second of [
    ['x-amz-target', 'TrentService.Encrypt'],
    ['X-AMZ-TARGET', 'TrentService.Decrypt'],
    ['content-type', 'application/x-amz-json-1.1'],
  ]) {
    throwsCode(
      () => readTarget(request({ rawHeaders: [...rawHeaders, ...second] })),
      'IncompleteSignatureException',
    )
  }
})

test('method, path and content type are the protocol’s', () => {
  const withType = (value: string): RawRequest =>
    request({ rawHeaders: ['content-type', value, 'x-amz-target', 'TrentService.Encrypt'] })
  assert.equal(readTarget(withType('Application/X-Amz-Json-1.1; charset=utf-8')).service, 'kms')
  const wrong = 'UnknownOperationException'
  for (const value of ['application/json', 'application/x-amz-json-1.0', 'text/plain', '']) {
    throwsCode(() => readTarget(withType(value)), wrong)
  }
  throwsCode(() => readTarget(request({ method: 'GET' })), wrong)
  throwsCode(() => readTarget(request({ target: '/x' })), wrong)
  throwsCode(() => readTarget(request({ target: '//' })), wrong)
})

test('a body is an object, and one that is empty is an empty one', () => {
  assert.deepEqual(Object.keys(readBody(request())), ['KeyId'])
  assert.deepEqual(Object.keys(readBody(request({ body: Buffer.alloc(0) }))), [])
})

test('a body that is not JSON, or not an object, is a SerializationException without a message', () => {
  for (const body of ['[]', 'null', '{', '{"a":1,"a":2}', ' ', '"{}"', '['.repeat(100_000)]) {
    assert.throws(
      () => readBody(request({ body: Buffer.from(body) })),
      (error) =>
        error instanceof KmsError &&
        error.code === 'SerializationException' &&
        error.message === '',
    )
  }
  throwsCode(() => readBody(request({ body: Buffer.from([0x7b, 0xff]) })), 'SerializationException')
})

test('an answer is JSON with bytes as base64, dates as seconds and nothing undefined', () => {
  const answer = renderAnswer(
    {
      Blob: new Uint8Array([0, 1, 255]),
      Part: new Uint8Array(Buffer.from('abcd')).subarray(1, 3),
      Buffer: Buffer.from('hi'),
      CreationDate: new Date(1_718_567_315_123),
      Whole: new Date(1_718_567_315_000),
      Absent: undefined,
      Nothing: null,
      Keys: [{ KeyId: 'a', Gone: undefined }],
      Enabled: false,
      Text: 'é"\u2028',
      ['__proto__']: 'kept',
    },
    'id-1',
  )
  assert.equal(answer.status, 200)
  assert.equal(
    answer.body,
    '{"Blob":"AAH/","Part":"YmM=","Buffer":"aGk=","CreationDate":1718567315.123,' +
      '"Whole":1718567315,"Nothing":null,"Keys":[{"KeyId":"a"}],"Enabled":false,' +
      '"Text":"é\\"\u2028","__proto__":"kept"}',
  )
  assert.deepEqual(answer.headers, {
    'Content-Type': 'application/x-amz-json-1.1',
    'x-amzn-RequestId': 'id-1',
    'Cache-Control': 'no-cache, no-store, must-revalidate, private',
    Expires: '0',
    Pragma: 'no-cache',
  })
})

test('an operation without output has an empty body, one with an empty output an empty object', () => {
  assert.equal(renderAnswer(undefined, 'id').body, '')
  assert.equal(renderAnswer({}, 'id').body, '{}')
})

test('an output that JSON has no form of is a bug, not an answer', () => {
  assert.throws(() => renderAnswer({ At: new Date(Number.NaN) }, 'id'), TypeError)
  assert.throws(() => renderAnswer({ Big: 1n }, 'id'), TypeError)
})

test('an error says its code and its message', () => {
  const answer = renderError(new KmsError('NotFoundException', "Invalid keyId 'x'"), 'id-2')
  assert.equal(answer.status, 400)
  assert.equal(answer.body, '{"__type":"NotFoundException","message":"Invalid keyId \'x\'"}')
  assert.equal(answer.headers['x-amzn-RequestId'], 'id-2')
})

test('an exception without a message has no message member', () => {
  const { body } = renderError(new KmsError('InvalidCiphertextException'), 'id')
  assert.equal(body, '{"__type":"InvalidCiphertextException"}')
})

test('an AccessDeniedException writes Message with a capital', () => {
  const { status, body } = renderError(new KmsError('AccessDeniedException', 'no'), 'id')
  assert.deepEqual([status, body], [400, '{"__type":"AccessDeniedException","Message":"no"}'])
})

test('what is not a KmsError is a KMSInternalException of which nothing else is said', () => {
  const failures = [new Error('secret detail'), 'secret detail', undefined, { code: 'X' }]
  for (const failure of failures) {
    const { status, body } = renderError(failure, 'id')
    assert.deepEqual([status, body], [500, '{"__type":"KMSInternalException"}'])
  }
})

test('an error’s cause and stack never reach its answer', () => {
  const error = new KmsError('SerializationException', '', { cause: new Error('secret detail') })
  assert.equal(renderError(error, 'id').body, '{"__type":"SerializationException"}')
})

test('a service that spoke AWS Query first has JSON 1.0, and its errors’ old names in a header', () => {
  const target = { service: 'monitoring', operation: 'ListMetrics' }
  const of = (error: unknown): readonly unknown[] => {
    const { status, headers, body } = renderError(error, 'id', target)
    assert.equal(headers['Content-Type'], 'application/x-amz-json-1.0')
    return [status, headers['x-amzn-query-error'], body]
  }
  assert.equal(renderAnswer({}, 'id', target).headers['Content-Type'], 'application/x-amz-json-1.0')
  for (const [code, name] of [
    ['InvalidParameterValueException', 'InvalidParameterValue'],
    ['InvalidParameterCombinationException', 'InvalidParameterCombination'],
    ['MissingRequiredParameterException', 'MissingParameter'],
    ['InvalidNextToken', 'InvalidNextToken'],
    ['ValidationException', 'ValidationError'],
  ] as const) {
    assert.deepEqual(of(new KmsError(code, 'no')), [
      400,
      `${name};Sender`,
      `{"__type":"${code}","message":"no"}`,
    ])
  }
  assert.deepEqual(of(new Error('secret detail')), [
    500,
    'InternalServiceError;Receiver',
    '{"__type":"InternalServiceFault"}',
  ])
  const kms = { service: 'kms', operation: 'Encrypt' }
  const { headers } = renderError(new KmsError('ValidationException'), 'id', kms)
  assert.equal(headers['x-amzn-query-error'], undefined)
})
