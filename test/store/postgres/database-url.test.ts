/** The URL of the database. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseUrlWrong, parseDatabaseUrl } from '../../../src/store/postgres/database-url.ts'

test('a URL names a user, a password, hosts with ports and a database', () => {
  const url = 'postgres://trent:s%40cret%3A@db-1.example:6432,db-2.example,[fd00::1]:1/keys'
  assert.deepEqual(parseDatabaseUrl(url), {
    hosts: [
      { host: 'db-1.example', port: 6432 },
      { host: 'db-2.example', port: 5432 },
      { host: 'fd00::1', port: 1 },
    ],
    database: 'keys',
    user: 'trent',
    password: 's@cret:',
    files: {},
    tls: true,
  })
})

test('TLS with checked certificates is the default unless all hosts are of this machine', () => {
  const usesTls = (rest: string): boolean => parseDatabaseUrl(`postgres://trent@${rest}`).tls
  assert.equal(usesTls('db.example/keys'), true)
  assert.equal(usesTls('127.0.0.1,db.example/keys'), true)
  assert.equal(usesTls('127.0.0.1,[::1]:2/keys'), false)
  assert.equal(usesTls('%2Fvar%2Frun%2Fpostgresql/keys'), false)
  assert.equal(usesTls('127.0.0.1/keys?sslmode=verify-full'), true)
  assert.equal(usesTls('127.0.0.1/keys?sslmode=disable'), false)
})

test('the files of certificates are options', () => {
  const { files } = parseDatabaseUrl(
    'postgres://trent@db.example/keys?sslrootcert=/etc/ca.pem&sslcert=/etc/c.pem&sslkey=/etc/k.pem',
  )
  assert.deepEqual(files, {
    sslrootcert: '/etc/ca.pem',
    sslcert: '/etc/c.pem',
    sslkey: '/etc/k.pem',
  })
})

const wrong: Readonly<Record<string, RegExp>> = {
  'mysql://trent@db.example/keys': /must have the form/,
  'postgres://trent@db.example': /must have the form/,
  'postgres://trent@db.example/a/b': /must have the form/,
  'postgres://db.example/keys': /must name a user/,
  'postgres://trent:a:b@db.example/keys': /%3A/,
  'postgres://trent@db.example:0/keys': /each host/,
  'postgres://trent@db.example:70000/keys': /each host/,
  'postgres://trent@db.example,/keys': /each host/,
  'postgres://trent@fd00::1/keys': /each host/,
  'postgres://trent:%zz@db.example/keys': /percent encoding/,
  'postgres://trent@db.example/keys?sslmode=require': /verify-full/,
  'postgres://trent@db.example/keys?sslmode=disable': /another machine/,
  'postgres://trent@127.0.0.1,db.example/keys?sslmode=disable': /another machine/,
  'postgres://trent@db.example/keys?target_session_attrs=any': /unknown or repeated option/,
  'postgres://trent@db.example/keys?sslcert=/c.pem': /both sslcert and sslkey/,
}

test('a wrong URL is refused, and the message has no password', () => {
  for (const [url, message] of Object.entries(wrong)) {
    assert.throws(
      () => parseDatabaseUrl(url.replace('trent@', 'trent:hunter2@')),
      (error: unknown) =>
        error instanceof DatabaseUrlWrong &&
        message.test(error.message) &&
        !error.message.includes('hunter2'),
      url,
    )
  }
})
