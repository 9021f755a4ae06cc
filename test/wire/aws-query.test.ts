import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KmsError } from '../../src/errors.ts'
import {
  boolean,
  integer,
  list,
  required,
  stringMap,
  structure,
  text,
} from '../../src/model/shape.ts'
import {
  isQuery,
  readQueryInput,
  readQueryTarget,
  renderQueryAnswer,
  renderQueryError,
} from '../../src/wire/aws-query.ts'
import type { RawRequest } from '../../src/wire/request.ts'
import { escaped } from '../../src/wire/xml.ts'

const form = 'application/x-www-form-urlencoded; charset=utf-8'

function request(body: string, more: Partial<RawRequest> = {}): RawRequest {
  return {
    listener: 'public',
    method: 'POST',
    target: '/',
    rawHeaders: ['Content-Type', form],
    body: Buffer.from(body),
    remoteAddress: '127.0.0.1',
    secure: false,
    signal: new AbortController().signal,
    ...more,
  }
}

const members = {
  UserName: text(),
  MaxItems: integer(),
  Flag: boolean(),
  Tags: list(structure({ Key: required(text()), Value: required(text()) })),
  Names: list(text()),
  Map: stringMap(),
}

const read = (body: string): unknown => structuredClone(readQueryInput(request(body), members))

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof KmsError, String(error))
    return error.code
  }
  return 'taken'
}

test('the version says which service is called', () => {
  const target = readQueryTarget(request('Action=GetUser&Version=2010-05-08'))
  assert.deepEqual(target, { service: 'iam', operation: 'GetUser' })
  const sts = readQueryTarget(request('Version=2011-06-15&Action=GetCallerIdentity'))
  assert.deepEqual(sts, { service: 'sts', operation: 'GetCallerIdentity' })
})

test('what names no operation is UnknownOperationException', () => {
  for (const body of [
    '',
    'Action=GetUser',
    'Action=GetUser&Version=2011-01-01',
    'Version=2010-05-08',
    'Action=Get-User&Version=2010-05-08',
    `Action=${'a'.repeat(65)}&Version=2010-05-08`,
  ]) {
    assert.equal(
      codeOf(() => readQueryTarget(request(body))),
      'UnknownOperationException',
      body,
    )
  }
  const right = 'Action=GetUser&Version=2010-05-08'
  for (const more of [{ method: 'GET' }, { target: '/x' }]) {
    assert.equal(
      codeOf(() => readQueryTarget(request(right, more))),
      'UnknownOperationException',
    )
  }
})

test('a form on the public port is a query, and nothing else is', () => {
  assert.ok(isQuery(request('')))
  assert.ok(!isQuery(request('', { listener: 'operator' })))
  assert.ok(!isQuery(request('', { rawHeaders: ['Content-Type', 'application/x-amz-json-1.1'] })))
  const two = { rawHeaders: ['Content-Type', form, 'content-type', 'application/json'] }
  assert.equal(
    codeOf(() => readQueryTarget(request('', two))),
    'IncompleteSignatureException',
  )
})

test('dotted members become lists, structures and maps of their shapes', () => {
  assert.deepEqual(
    read(
      'UserName=a%2Bb+c&MaxItems=7&Flag=true&Tags.member.1.Key=k&Tags.member.1.Value=&' +
        'Tags.member.2.Key=l&Tags.member.2.Value=w&Names=&Map.entry.1.key=x&Map.entry.1.value=y&Other=1',
    ),
    {
      UserName: 'a+b c',
      MaxItems: 7,
      Flag: true,
      Tags: [
        { Key: 'k', Value: '' },
        { Key: 'l', Value: 'w' },
      ],
      Names: [],
      Map: { x: 'y' },
    },
  )
})

test('a form that could mean two things is refused', () => {
  for (const body of [
    'UserName=a&UserName=b',
    'UserName=a&UserName.member.1=b',
    'UserName.member.1=b&UserName=a',
    'UserName.x=b',
    'UserName=%',
    'UserName=%ff',
    'UserName=ä',
    'UserName=a b',
    'MaxItems=7.5',
    'MaxItems=',
    'MaxItems=9999999999999999',
    'Flag=yes',
    'Names=a',
    'Names.member.2=b',
    'Names.member.01=b',
    'Names.member.1=a&Names.entry.1=b',
    'Tags.member.1=a',
    'Map.entry.1.key=x',
    'Map.entry.1.key=x&Map.entry.1.value=y&Map.entry.2.key=x&Map.entry.2.value=z',
    '&',
    '=a',
    `${'a.'.repeat(12)}a=1`,
    `${'a'.repeat(513)}=1`,
    'a=1&'.repeat(5000),
  ]) {
    assert.equal(
      codeOf(() => read(body)),
      'SerializationException',
      body.slice(0, 80),
    )
  }
})

test('no body makes the reader fail otherwise than by refusing', () => {
  const piece = fc.constantFrom(
    'UserName',
    'Tags',
    '.member',
    '.1',
    '.Key',
    '=',
    '&',
    '%',
    '__proto__',
    'a',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const code = codeOf(() => read(pieces.join('')))
      assert.ok(['taken', 'SerializationException'].includes(code), code)
    }),
    { verbose: true },
  )
})

test('an answer is XML under its service, with lists, dates and its request id', () => {
  const output = { Users: [{ UserName: 'a<b' }], At: new Date(1_600_000_000_999), No: undefined }
  const answer = renderQueryAnswer(output, 'id', { service: 'iam', operation: 'ListUsers' })
  assert.equal(
    answer.body,
    '<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult>' +
      '<Users><member><UserName>a&lt;b</UserName></member></Users><At>2020-09-13T12:26:40Z</At>' +
      '</ListUsersResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></ListUsersResponse>\n',
  )
  const silent = renderQueryAnswer(undefined, 'id', { service: 'iam', operation: 'DeleteUser' })
  assert.ok(!String(silent.body).includes('Result'))
})

test('errors have the codes and statuses of Query services', () => {
  const target = { service: 'iam', operation: 'GetUser' }
  const render = (error: unknown): readonly [number, string] => {
    const { status, body } = renderQueryError(error, 'id', target)
    return [status, /<Type>(.*)<\/Message>/.exec(String(body))?.[1] ?? '']
  }
  const said = (code: string, message = ''): string =>
    `Sender</Type><Code>${code}</Code><Message>${message}`
  assert.deepEqual(render(new KmsError('AccessDeniedException', 'a')), [
    403,
    said('AccessDenied', 'a'),
  ])
  assert.deepEqual(render(new KmsError('NoSuchEntityException', '<')), [
    404,
    said('NoSuchEntity', '&lt;'),
  ])
  assert.deepEqual(render(new KmsError('EntityAlreadyExistsException')), [
    409,
    said('EntityAlreadyExists'),
  ])
  assert.deepEqual(render(new KmsError('ValidationException', 'v')), [
    400,
    said('ValidationError', 'v'),
  ])
  assert.deepEqual(render(new KmsError('UnrecognizedClientException')), [
    403,
    said('InvalidClientTokenId'),
  ])
  assert.deepEqual(render(new KmsError('InvalidInputException')), [400, said('InvalidInput')])
  assert.deepEqual(render(new KmsError('UnknownOperationException')), [
    400,
    said('InvalidAction', 'Could not find operation GetUser for version 2010-05-08'),
  ])
  assert.deepEqual(render(new Error('secret')), [
    500,
    'Receiver</Type><Code>InternalFailure</Code><Message>',
  ])
})

test('text that XML has no form of is replaced', () => {
  assert.equal(escaped('a\u0000b\ud800c\r\n&'), 'a\ufffdb\ufffdc&#xD;\n&amp;')
})
