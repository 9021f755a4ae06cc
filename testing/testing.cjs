/**
 * Trent for tests in JavaScript: starts a server as a process, and moves its clock, asks for faults and empties
 * it through the test API. CommonJS, because Jest loads nothing else by default.
 * @module
 */
const { spawn } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const { once } = require('node:events')
const { mkdtemp, rm, writeFile } = require('node:fs/promises')
const { tmpdir } = require('node:os')
const { join, resolve } = require('node:path')

const program = join(__dirname, '..', 'bin', 'trent.js')
const readyLine = /^Trent is ready on (\S+): account (\d{12})/m
const startMsUsual = 60_000
/** A server that writes without end must not fill the memory of the tests. */
const keptCharactersMax = 100_000

/** Without the settings of the tests themselves, and without the flags of their Node. */
function environmentOf(settings) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:TRENT_|AWS_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|NODE_V8_COVERAGE$)/.test(name),
  )
  return { ...Object.fromEntries(kept), ...settings }
}

/** Runs `trent` with parameters. */
function run(parameters, directory, settings) {
  const child = spawn(process.execPath, [program, ...parameters], {
    cwd: directory,
    env: environmentOf(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      said[name] = (said[name] + text).slice(-keptCharactersMax)
    })
  }
  const ended = once(child, 'close')
  ended.catch(() => undefined) // whoever waits for it gets it
  return { child, said, ended }
}

/** Resolves with the ready line. */
async function readiness({ child, said, ended }, startMsMax) {
  let timer
  const ready = new Promise((done, fail) => {
    child.stdout.on('data', () => {
      const found = readyLine.exec(said.stdout)
      if (found !== null) done(found)
    })
    timer = setTimeout(
      () => fail(new Error(`Trent was not ready within ${startMsMax} ms: ${said.stderr}`)),
      startMsMax,
    )
  })
  const death = ended.then(() => {
    throw new Error(`Trent did not start: ${said.stderr.trim()}`)
  })
  death.catch(() => undefined) // later it ends as it should
  try {
    return await Promise.race([ready, death])
  } finally {
    clearTimeout(timer)
  }
}

async function callTestApi(url, path, body) {
  const answer = await fetch(`${url}/_trent/test/${path}`, {
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`the test API refused ${path}: ${text}`)
  return text === '' ? {} : JSON.parse(text)
}

/** How clients reach the server. */
function connectionOf(url, accountId, settings) {
  const region = settings.TRENT_REGION ?? 'us-west-2'
  const credentials = {
    accessKeyId: settings.TRENT_ROOT_ACCESS_KEY_ID,
    secretAccessKey: settings.TRENT_ROOT_SECRET_ACCESS_KEY,
  }
  return {
    url,
    accountId,
    region,
    credentials,
    clientConfig: { endpoint: url, region, credentials },
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  }
}

function testApiOf(url) {
  const call = (path, body) => callTestApi(url, path, body)
  const timeOf = ({ now }) => new Date(now)
  return {
    clock: {
      now: async () => timeOf(await call('clock')),
      advance: async (by) => timeOf(await call('clock', { advance: by })),
      set: async (to) => timeOf(await call('clock', { set: new Date(to).toISOString() })),
    },
    faults: {
      list: async () => (await call('faults')).faults,
      set: async (faults) => void (await call('faults', { faults })),
      clear: async () => void (await call('faults', { faults: [] })),
    },
  }
}

/** A seed that is an object becomes a file in the directory of the server. */
async function seedFile(seed, directory, name) {
  if (typeof seed === 'string') return resolve(seed)
  const file = join(directory, name)
  await writeFile(file, JSON.stringify(seed), { mode: 0o600 })
  return file
}

async function startTrent({ seed, settings = {}, startMsMax = startMsUsual } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'trent-testing-'))
  const all = {
    TRENT_LISTEN: '127.0.0.1:0',
    TRENT_DATA_DIR: join(directory, 'data'),
    TRENT_TEST_API: 'on',
    TRENT_CONSOLE: 'off',
    TRENT_ROOT_ACCESS_KEY_ID: 'TRENTTEST',
    TRENT_ROOT_SECRET_ACCESS_KEY: randomBytes(24).toString('base64url'),
    ...settings,
  }
  let server
  const end = () => server?.child.kill('SIGTERM')
  const stop = async () => {
    process.off('exit', end)
    end()
    await server?.ended
    await rm(directory, { recursive: true, force: true })
  }
  const apply = async (file) => {
    const { said, ended } = run(['apply', file], directory, all)
    const [code] = await ended
    if (code !== 0) throw new Error(`the seed was refused: ${said.stderr.trim()}`)
  }
  try {
    const first = seed && (await seedFile(seed, directory, 'seed.json'))
    const withSeed = { ...all, ...(first && { TRENT_APPLY: first }) }
    server = run(['serve', '--log', 'json'], directory, withSeed)
    // Otherwise a test run that ends early would leave it behind.
    process.once('exit', end)
    const [, url, accountId] = await readiness(server, startMsMax)
    return {
      ...connectionOf(url, accountId, all),
      ...testApiOf(url),
      seed: async (given) => apply(await seedFile(given, directory, 'further-seed.json')),
      async reset() {
        await callTestApi(url, 'reset', {})
        if (first) await apply(first)
      },
      log: () => server.said.stderr,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Jest's and Vitest's global hooks, or those of node:test. */
function hooksHere() {
  const { beforeAll, afterAll } = globalThis
  if (typeof beforeAll === 'function' && typeof afterAll === 'function')
    return { beforeAll, afterAll }
  if (process.env.VITEST !== undefined) {
    throw new Error(
      'without the globals of Vitest, pass its hooks: useTrent({}, { beforeAll, afterAll })',
    )
  }
  const { before, after } = require('node:test')
  return { beforeAll: (start) => before(start), afterAll: after }
}

function useTrent(options = {}, { beforeAll, afterAll } = hooksHere()) {
  let started
  beforeAll(async () => {
    started = await startTrent(options)
  }, options.startMsMax ?? startMsUsual)
  afterAll(async () => {
    await started?.stop()
  })
  return new Proxy(
    {},
    {
      get(_, name) {
        if (started === undefined) throw new Error('Trent is not started yet: use it inside a test')
        return started[name]
      },
    },
  )
}

exports.startTrent = startTrent
exports.useTrent = useTrent
