import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import type { RawRequest } from '../../src/wire/request.ts'
import { enter, refusedUnread } from './enter.ts'
import { headerOf, rawRequest, signed, withHeader, withSecondHeader } from './signer.ts'

for (const form of ['header', 'presigned'] as const) {
  test(`a ${form} signature without host, or with an x-amz- header that is not signed, is refused`, async () => {
    const request = await signed({ form })
    await enter(withSecondHeader(request, 'x-amzn-trace-id', 'Root=1'))
    const unsignedHeader = (name: string): string =>
      `'${name}' must be a 'SignedHeader' in the AWS Authorization. ` +
      'Every x-amz-* header must be signed, because it can change what a request means.'
    await refusedUnread(
      withSecondHeader(request, 'X-Amz-Extra', '1'),
      unsignedHeader('x-amz-extra'),
    )
    const unsigned = (name: string): RawRequest => {
      const pattern = form === 'header' ? new RegExp(`;${name}(?=[;,])`) : new RegExp(`%3B${name}`)
      const authorization = headerOf(request, 'authorization').replace(pattern, '')
      return form === 'header'
        ? withHeader(request, 'authorization', authorization)
        : { ...request, target: request.target.replace(pattern, '') }
    }
    await assert.rejects(enter(unsigned('host')), {
      code: 'InvalidSignatureException',
      message: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
      lookups: 0,
    })
    await refusedUnread(unsigned('x-amz-target'), unsignedHeader('x-amz-target'))
  })

  test(`a ${form} signature over a header that is absent is refused`, async () => {
    const request = await signed({ form })
    for (const name of ['host', 'content-type', 'x-amz-target']) {
      const message = `the signed header \`${name}\` is absent`
      await refusedUnread(withHeader(request, name, undefined), message)
    }
  })

  test(`a ${form} request with a second header that decides is refused, a second one that does not is not`, async () => {
    const request = await signed({ form })
    await enter(withSecondHeader(withSecondHeader(request, 'accept', 'a'), 'accept', 'a'))
    const names = ['Host', 'Content-Type', 'X-Amz-Target']
    if (form === 'header') names.push('Authorization', 'X-Amz-Date')
    for (const name of names) {
      const same = headerOf(request, name.toLowerCase())
      const message = `the header \`${name.toLowerCase()}\` is there more than once`
      await refusedUnread(withSecondHeader(request, name, same), message)
    }
    const token = withHeader(request, 'X-Amz-Security-Token', 'a')
    await refusedUnread(withSecondHeader(token, 'x-amz-security-token', 'a'), /more than once/)
  })

  test(`a ${form} request whose payload is said to be unsigned or streamed is refused`, async () => {
    for (const said of ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']) {
      const request = await signed({ form, headers: { 'x-amz-content-sha256': said } })
      await refusedUnread(request, `the payload must be signed: \`${said}\` is not taken`)
    }
  })

  test(`a ${form} signature over more than 64 headers is refused`, async () => {
    const headers = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`my-${index}`, 'x']))
    const own = form === 'header' ? 4 : 3
    await enter(await signed({ form, headers: headers(64 - own) }))
    const request = await signed({ form, headers: headers(65 - own) })
    await refusedUnread(request, 'more than 64 headers are signed')
  })
}

test('X-Amz-Expires out of its limits is refused', async () => {
  const request = await signed({ form: 'presigned' })
  const cases: Readonly<Record<string, string>> = {
    '': 'X-Amz-Expires should be a number',
    '1e3': 'X-Amz-Expires should be a number',
    '-1': 'X-Amz-Expires must be non-negative',
    '0': 'X-Amz-Expires must be at least 1 second',
    '604801':
      'X-Amz-Expires must be less than a week (in seconds); ' +
      'that is, the given X-Amz-Expires must be less than 604800 seconds',
  }
  for (const [text, message] of Object.entries(cases)) {
    const target = request.target.replace('X-Amz-Expires=600', `X-Amz-Expires=${text}`)
    await refusedUnread({ ...request, target }, message)
  }
})

test('a request that is not signed is MissingAuthenticationToken', async () => {
  const request = withHeader(await signed(), 'authorization', undefined)
  const refusal = {
    code: 'MissingAuthenticationTokenException',
    message: 'Missing Authentication Token',
    lookups: 0,
  }
  await assert.rejects(enter(request), refusal)
  await assert.rejects(enter(withHeader(request, 'authorization', '')), refusal)
  const bare = rawRequest({ method: 'GET', target: '/', rawHeaders: [], body: Buffer.alloc(0) })
  await assert.rejects(enter(bare), refusal)
})

test('an Authorization header that says too little is refused in its own words', async () => {
  const request = await signed()
  const hashed = (text: string): string => createHash('sha256').update(text).digest('base64')
  const incomplete = async (text: string, message: string): Promise<void> =>
    refusedUnread(withHeader(request, 'authorization', text), message)
  const shown = (text: string): string =>
    `(Hashed with SHA-256 and encoded with Base64) Authorization=${hashed(text)}`
  const parts = 'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host'
  await incomplete(parts, `Authorization header requires 'Signature' parameter. ${shown(parts)}`)
  await incomplete(
    'Bearer secret',
    'Invalid key=value pair (missing equal-sign) in Authorization header ' +
      `(hashed with SHA-256 and encoded with Base64): '${hashed('Bearer secret')}'.`,
  )
  await incomplete(
    `${headerOf(request, 'authorization')}, Signature=${'0'.repeat(64)}`,
    'the Authorization header names a parameter twice',
  )
  await refusedUnread(
    withHeader(withHeader(request, 'authorization', 'a'), 'x-amz-date', undefined),
    "Authorization header requires 'Credential' parameter. " +
      "Authorization header requires 'Signature' parameter. " +
      "Authorization header requires 'SignedHeaders' parameter. " +
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
      shown('a'),
  )
})

test('another algorithm, a credential of another form and unordered headers are refused', async () => {
  const request = await signed()
  const authorization = headerOf(request, 'authorization')
  const changed = (from: string | RegExp, to: string): RawRequest =>
    withHeader(request, 'authorization', authorization.replace(from, to))
  await refusedUnread(
    changed('HMAC-SHA256', 'ECDSA-P256-SHA256'),
    "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now).",
  )
  await refusedUnread(
    changed(/Credential=[^,]+/, 'Credential=a/b/c/d'),
    'Credential must have exactly 5 slash-delimited elements, ' +
      "e.g. keyid/date/region/service/term, got 'a/b/c/d'",
  )
  for (const credentialText of ['a/b/c/d/e/f', '/b/c/d/e']) {
    await refusedUnread(changed(/Credential=[^,]+/, `Credential=${credentialText}`), /exactly 5/)
  }
  for (const names of ['x-amz-date;host', 'Host;x-amz-date', 'host;host', 'host;', ';host']) {
    await refusedUnread(
      changed(/SignedHeaders=[^,]+/, `SignedHeaders=${names}`),
      'signed headers must be lower-case names in order, divided by semicolons',
    )
  }
})

test('commas without blanks between the parameters of the Authorization header are taken', async () => {
  const request = await signed()
  const authorization = headerOf(request, 'authorization').replaceAll(', ', ',')
  assert.equal((await enter(withHeader(request, 'authorization', authorization))).lookups, 1)
})

test('a presigned request that says too little, or says it twice, is refused', async () => {
  const request = await signed({ form: 'presigned' })
  const without = (name: string): RawRequest => {
    const target = request.target.replace(new RegExp(`${name}=[^&]*&?`), '').replace(/&$/, '')
    return { ...request, target }
  }
  for (const name of ['Algorithm', 'Credential', 'Signature', 'SignedHeaders', 'Date']) {
    await refusedUnread(
      without(`X-Amz-${name}`),
      `AWS query-string parameters must include 'X-Amz-${name}'. ` +
        'Re-examine the query-string parameters.',
    )
  }
  const twice = { ...request, target: `${request.target}&X-Amz-Signature=${'0'.repeat(64)}` }
  await refusedUnread(twice, '`X-Amz-Signature` is there more than once')
  const dated = withHeader(request, 'x-amz-date', '20261120T081530Z')
  await refusedUnread(dated, '`X-Amz-Date` is there more than once')
})

test('header and query form together are refused', async () => {
  const presigned = await signed({ form: 'presigned' })
  const authorization = headerOf(await signed(), 'authorization')
  const message =
    "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
  await refusedUnread(withHeader(presigned, 'authorization', authorization), message)
  await refusedUnread(withHeader(presigned, 'authorization', ''), message)
})

test('a target that is not in origin form is refused', async () => {
  const request = await signed()
  for (const target of [
    '*',
    'http://127.0.0.1:4599/',
    '127.0.0.1:4599',
    '',
    '/a b',
    '/\u00e9',
    '/#',
  ]) {
    await refusedUnread({ ...request, target }, 'the request target is not in origin form')
  }
})

test('a date that is none is refused in the words of AWS', async () => {
  const request = await signed()
  for (const date of ['2026', '20260230T000000Z', '20261120T081560Z', '2026-11-20T08:15:30Z']) {
    await refusedUnread(
      withHeader(request, 'x-amz-date', date),
      `Date must be in ISO-8601 'basic format'. Got '${date}'. ` +
        'See http://en.wikipedia.org/wiki/ISO_8601',
    )
  }
})
