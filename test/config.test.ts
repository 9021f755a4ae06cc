import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError, loadConfig, parseConfig } from '../src/config.ts'
import { awsNitroRoot } from '../src/crypto/attestation/roots.ts'

const webhookSecret = 'a-secret-of-sixteen-or-more'

test('every setting has a default', () => {
  const config = parseConfig({})
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 4599 })
  assert.equal(config.accountId, '000000000000')
  assert.equal(config.region, 'us-west-2')
  assert.equal(config.testApi, false)
  assert.equal(config.console, true)
  assert.equal(config.auditSegmentSeconds, 3600)
  assert.equal(config.root, undefined)
  assert.deepEqual(config.attestationRoots, [awsNitroRoot()])
  assert.ok(Object.isFrozen(config))
})

test('backups are scheduled each day where there is a directory for them', () => {
  assert.equal(parseConfig({}).backups, undefined)
  const dayMs = 24 * 60 * 60 * 1000
  assert.deepEqual(parseConfig({ TRENT_BACKUP_DIR: '/b' }).backups, {
    directory: '/b',
    intervalMs: dayMs,
    keep: 14,
  })
})

const refused: readonly [
  name: string,
  settings: Parameters<typeof parseConfig>[0],
  says: RegExp,
][] = [
  ['a listen address without a port', { TRENT_LISTEN: '127.0.0.1' }, /TRENT_LISTEN/],
  ['a host name other than localhost', { TRENT_LISTEN: 'kms.example:1' }, /TRENT_LISTEN/],
  ['a port over 65535', { TRENT_LISTEN: '127.0.0.1:70000' }, /TRENT_LISTEN/],
  ['plain HTTP off loopback', { TRENT_LISTEN: '0.0.0.0:4599' }, /TRENT_ALLOW_PLAINTEXT_HTTP=true/],
  ...(
    [
      ['a certificate without its key', { TRENT_TLS_CERT: 'c' }],
      ['a key without its certificate', { TRENT_TLS_KEY: 'k' }],
      ['authorities of clients without a certificate', { TRENT_TLS_CLIENT_CA: 'a' }],
    ] as const
  ).map(([name, settings]): (typeof refused)[number] => [
    name,
    settings,
    /^TRENT_TLS_CERT and TRENT_TLS_KEY need each other$|^TRENT_TLS_CLIENT_CA needs TRENT_TLS_CERT$/,
  ]),
  [
    'plain HTTP and TLS together',
    { TRENT_ALLOW_PLAINTEXT_HTTP: 'true', TRENT_TLS_CERT: 'c', TRENT_TLS_KEY: 'k' },
    /^TRENT_ALLOW_PLAINTEXT_HTTP=true is refused with TRENT_TLS_CERT/,
  ],
  [
    'a file of roots that is not there',
    { TRENT_ATTESTATION_ROOTS: '/no/roots' },
    /cannot be read$/,
  ],
  [
    'a file without roots',
    { TRENT_ATTESTATION_ROOTS: import.meta.filename },
    /no PEM certificate$/,
  ],
  ['an odd switch', { TRENT_ALLOW_PLAINTEXT_HTTP: 'yes' }, /must be true or false/],
  ['an account id of eleven digits', { TRENT_ACCOUNT_ID: '12345678901' }, /twelve digits/],
  ['an unknown Region', { TRENT_REGION: 'mars-north-1' }, /TRENT_REGIONS adds one/],
  ['a malformed Region table', { TRENT_REGIONS: 'Mars' }, /TRENT_REGIONS/],
  ['an unknown log level', { TRENT_LOG_LEVEL: 'loud' }, /TRENT_LOG_LEVEL/],
  ['a Region of two lines', { TRENT_REGION: 'us-\nwest-2' }, /TRENT_REGIONS adds one/],
  ['Regions of two lines', { TRENT_REGIONS: 'eu\nhome' }, /TRENT_REGIONS/],
  ['a data directory of two lines', { TRENT_DATA_DIR: 'da\nta' }, /TRENT_DATA_DIR/],
  ['a token that is too short', { TRENT_METRICS_TOKEN: 'x'.repeat(15) }, /TRENT_METRICS_TOKEN/],
  ['a token that is too long', { TRENT_METRICS_TOKEN: 'x'.repeat(257) }, /TRENT_METRICS_TOKEN/],
  [
    'a token with a space',
    { TRENT_METRICS_TOKEN: 'sixteen or more, spaced' },
    /TRENT_METRICS_TOKEN/,
  ],
  [
    'a webhook for events without a secret',
    { TRENT_EVENTS_WEBHOOK: 'https://h.example/secret-path' },
    /^TRENT_EVENTS_WEBHOOK and TRENT_EVENTS_WEBHOOK_SECRET need each other$/,
  ],
  [
    'a secret for events without a webhook',
    { TRENT_EVENTS_WEBHOOK_SECRET: webhookSecret },
    /^TRENT_EVENTS_WEBHOOK and TRENT_EVENTS_WEBHOOK_SECRET need each other$/,
  ],
  ...[
    'http://h.example/secret-path',
    'http://10.0.0.1/secret-path',
    'https://user:secret-path@h.example/',
    'ftp://localhost/secret-path',
    'secret-path',
  ].map((url): (typeof refused)[number] => [
    `events to ${url}`,
    { TRENT_EVENTS_WEBHOOK: url, TRENT_EVENTS_WEBHOOK_SECRET: webhookSecret },
    /^TRENT_EVENTS_WEBHOOK must be an https URL, or an http URL of this machine$/,
  ]),
  ...['x'.repeat(15), 'x'.repeat(257), 'sixteen or more, spaced'].map(
    (secret): (typeof refused)[number] => [
      `a secret for events of ${secret.length} characters`,
      { TRENT_EVENTS_WEBHOOK: 'https://h.example', TRENT_EVENTS_WEBHOOK_SECRET: secret },
      /^TRENT_EVENTS_WEBHOOK_SECRET must be 16 to 256 printable characters$/,
    ],
  ),
  ['quotas of two lines', { TRENT_QUOTA_OVERRIDES: 'a\nb' }, /TRENT_QUOTA_OVERRIDES/],
  ['an unknown profile of quotas', { TRENT_QUOTAS: 'AWS' }, /one of aws, aws-2015, unlimited$/],
  ['a profile and a space', { TRENT_QUOTAS: 'aws ' }, /one of aws, aws-2015, unlimited$/],
  [
    'half a key',
    { TRENT_QUOTA_OVERRIDES: 'keys=1.5' },
    /^TRENT_QUOTA_OVERRIDES: keys must be a whole/,
  ],
  [
    'a quota twice',
    { TRENT_QUOTA_OVERRIDES: 'keys=1,keys=2' },
    /^TRENT_QUOTA_OVERRIDES: keys is given twice$/,
  ],
  [
    'a quota that is none',
    { TRENT_QUOTA_OVERRIDES: 'users=1' },
    /^TRENT_QUOTA_OVERRIDES: users is not a quota$/,
  ],
  [
    'everybody as a proxy',
    { TRENT_TRUSTED_PROXIES: '10.0.0.1,0.0.0.0/0' },
    /^TRENT_TRUSTED_PROXIES: `0\.0\.0\.0\/0` is not an IP address or network; it must be/,
  ],
  ['a proxy by name', { TRENT_TRUSTED_PROXIES: 'proxy.example' }, /^TRENT_TRUSTED_PROXIES/],
  [
    'a long stop',
    { TRENT_STOP_DELAY_SECONDS: '301' },
    /^TRENT_STOP_DELAY_SECONDS must be .+ 0 to 300$/,
  ],
  ['no worker', { TRENT_WORKERS: '0' }, /^TRENT_WORKERS must be a whole number from 1 to 16$/],
  ['too many workers', { TRENT_WORKERS: '17' }, /from 1 to 16$/],
  ['half a worker', { TRENT_WORKERS: '1.5' }, /from 1 to 16$/],
  ['workers by another count', { TRENT_WORKERS: '0x2' }, /from 1 to 16$/],
  ['workers in words', { TRENT_WORKERS: 'two' }, /from 1 to 16$/],
  ['a backup interval without a directory', { TRENT_BACKUP_KEEP: '3' }, /needs TRENT_BACKUP_DIR/],
  [
    'a backup interval of nothing',
    { TRENT_BACKUP_DIR: 'b', TRENT_BACKUP_INTERVAL_MINUTES: '0' },
    /^TRENT_BACKUP_INTERVAL_MINUTES must be a whole number from 1 to 44640$/,
  ],
  [
    'keeping no backup',
    { TRENT_BACKUP_DIR: 'b', TRENT_BACKUP_KEEP: '0' },
    /^TRENT_BACKUP_KEEP must be a whole number from 1 to 1000$/,
  ],
  ['segments of under a minute', { TRENT_AUDIT_SEGMENT_SECONDS: '59' }, /from 60 to 86400/],
  ['segments of over a day', { TRENT_AUDIT_SEGMENT_SECONDS: '86401' }, /from 60 to 86400/],
  ['a segment age in words', { TRENT_AUDIT_SEGMENT_SECONDS: '1h' }, /from 60 to 86400/],
  ['an access key id without a secret', { TRENT_ROOT_ACCESS_KEY_ID: 'test' }, /SECRET_ACCESS_KEY/],
  [
    'a secret that is too short',
    { TRENT_ROOT_ACCESS_KEY_ID: 'test', TRENT_ROOT_SECRET_ACCESS_KEY: 'short' },
    /8 to 128/,
  ],
  [
    'the test API off loopback',
    { TRENT_TEST_API: 'on', TRENT_LISTEN: '10.0.0.1:1', TRENT_ALLOW_PLAINTEXT_HTTP: 'true' },
    /TRENT_TEST_API/,
  ],
  [
    'a console that is neither on nor off',
    { TRENT_CONSOLE: 'no' },
    /TRENT_CONSOLE must be on or off/,
  ],
]

test('proxies are addresses and networks; nobody is trusted by default', () => {
  assert.deepEqual(parseConfig({}).trustedProxies, [])
  const { trustedProxies } = parseConfig({ TRENT_TRUSTED_PROXIES: '10.0.0.5, fd00::/8' })
  assert.deepEqual(trustedProxies, ['10.0.0.5', 'fd00::/8'])
})

test('the age of segments may be from a minute to a day', () => {
  for (const seconds of [60, 86_400]) {
    const config = parseConfig({ TRENT_AUDIT_SEGMENT_SECONDS: String(seconds) })
    assert.equal(config.auditSegmentSeconds, seconds)
  }
})

for (const [name, settings, says] of refused) {
  test(`a setting is refused in one line: ${name}`, () => {
    assert.throws(
      () => parseConfig(settings),
      (error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, says)
        assert.ok(!error.message.includes('\n'))
        const secret = settings.TRENT_ROOT_SECRET_ACCESS_KEY
        assert.ok(secret === undefined || !error.message.includes(secret))
        for (const each of ['secret-path', webhookSecret]) assert.ok(!error.message.includes(each))
        const token = settings.TRENT_METRICS_TOKEN
        assert.ok(token === undefined || !error.message.includes(token))
        return true
      },
    )
  })
}

test('events go to an https URL, or to this machine', () => {
  for (const url of [
    'https://h.example/kms?x=y',
    'http://localhost:8080/',
    'http://127.0.0.1/',
    'http://[::1]:1/',
  ]) {
    const config = parseConfig({
      TRENT_EVENTS_WEBHOOK: url,
      TRENT_EVENTS_WEBHOOK_SECRET: webhookSecret,
    })
    assert.equal(config.eventsWebhook?.url, url)
    assert.ok(!inspect(config, { depth: 9 }).includes(webhookSecret))
  }
  assert.equal(parseConfig({}).eventsWebhook, undefined)
})

test('plain HTTP off loopback is served when it is allowed by name', () => {
  const config = parseConfig({ TRENT_LISTEN: '0.0.0.0:80', TRENT_ALLOW_PLAINTEXT_HTTP: 'true' })
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 80 })
})

test('one can add a Region of one’s own, and use it', () => {
  const config = parseConfig({ TRENT_REGIONS: 'eu-home-1', TRENT_REGION: 'eu-home-1' })
  assert.equal(config.regions.partitionOf('eu-home-1'), 'aws')
})

/** A settings file that goes with the test. */
function settingsFile(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'trent-config-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'settings.env')
  writeFileSync(file, text)
  return file
}

test('the environment lies over the settings file, and an empty variable is none', (t) => {
  const text = '# ours\nTRENT_REGION=eu-west-1\n\nTRENT_ACCOUNT_ID = "111122223333" # one\n'
  const file = settingsFile(t, `${text}TRENT_LOG_LEVEL=\r\n`)
  const config = loadConfig({ TRENT_REGION: 'us-east-1', TRENT_ACCOUNT_ID: '' }, file)
  assert.equal(config.region, 'us-east-1')
  assert.equal(config.accountId, '111122223333')
  assert.equal(config.logLevel, 'info')
  assert.equal(loadConfig({ TRENT_CONFIG: '' }).accountId, '000000000000')
})

test('a settings file with a line or a name that is none of Trent’s is refused', (t) => {
  const region = 'TRENT_REGION=eu-west-1\n'
  assert.equal(loadConfig({}, settingsFile(t, region)).region, 'eu-west-1')
  for (const [text, says] of [
    [`${region}TRENT_ACCOUNT_ID 111122223333\n`, /^line 2 of .*settings\.env is not `NAME=value`$/],
    ['\u0000\u0001=\n', /^line 1 of /],
    [
      `${region}TRNET_ACCOUNT_ID=111122223333\n`,
      /^TRNET_ACCOUNT_ID in .* is not a setting of Trent: did you mean TRENT_ACCOUNT_ID\?$/,
    ],
    ['TRENT_CONFIG=other.env\n', /^TRENT_CONFIG in .* is not a setting of Trent$/],
  ] as const) {
    const file = settingsFile(t, text)
    assert.throws(() => loadConfig({}, file), { message: says })
  }
})

test('a setting that is misspelt, and a file that is missing, are refused', () => {
  assert.throws(() => loadConfig({ TRENT_REGOIN: 'eu-west-1' }), /TRENT_REGOIN.*not a setting/)
  assert.throws(() => loadConfig({}, '/nowhere/trent.env'), /cannot be read/)
})

test('a misspelt setting is refused with the one that was meant', () => {
  assert.throws(() => loadConfig({ TRENT_REGOIN: 'x' }), /: did you mean TRENT_REGION\?$/)
  assert.throws(() => loadConfig({ TRENT_NOTHING_LIKE_IT: 'x' }), /is not a setting of Trent$/)
})

test('what Kubernetes sets for a Service called trent is no setting', () => {
  const injected = {
    TRENT_SERVICE_HOST: '10.96.0.17',
    TRENT_SERVICE_PORT: '4599',
    TRENT_SERVICE_PORT_HTTP: '4599',
    TRENT_PORT: 'tcp://10.96.0.17:4599',
    TRENT_PORT_4599_TCP: 'tcp://10.96.0.17:4599',
    TRENT_PORT_4599_TCP_PROTO: 'tcp',
    TRENT_PORT_4599_TCP_PORT: '4599',
    TRENT_PORT_4599_TCP_ADDR: '10.96.0.17',
    TRENT_METRICS_PORT_9100_TCP: 'tcp://[fd00::1]:9100',
  }
  assert.equal(loadConfig(injected).accountId, '000000000000')
  for (const name of Object.keys(injected)) {
    assert.throws(() => loadConfig({ [name]: 'https://kms' }), /is not a setting of Trent/, name)
  }
})

test('an address off loopback is served with TLS', () => {
  const { listen, tls } = parseConfig({
    TRENT_LISTEN: '0.0.0.0:4599',
    TRENT_TLS_CERT: '/etc/trent/server.pem',
    TRENT_TLS_KEY: '/etc/trent/server.key',
    TRENT_TLS_CLIENT_CA: '/etc/trent/clients.pem',
  })
  assert.equal(listen.host, '0.0.0.0')
  assert.deepEqual(tls, {
    cert: '/etc/trent/server.pem',
    key: '/etc/trent/server.key',
    clientCa: '/etc/trent/clients.pem',
  })
})
