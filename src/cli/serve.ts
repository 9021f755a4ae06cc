/** `trent serve`: runs the server in the foreground until SIGINT or SIGTERM. @module */
import { constants } from 'node:os'
import { relative } from 'node:path'
import { buildConsole } from './build-console.ts'
import { type Config, loadConfig, testCredential } from '../config.ts'
import type { FirstAccount } from '../server/first-start.ts'
import { isWithin } from '../disk/within.ts'
import { isLoopback } from '../model/address.ts'
import { isBesideData } from '../seals/setting.ts'
import { memoryGaps } from './memory-gaps.ts'
import { type RunningServer, startServer } from '../server/start.ts'
import { oneLine } from './one-line.ts'
import { openLog, type LogForm, type ServerLog } from './server-log.ts'
import { quoted } from './shell-quoting.ts'

/** One Ctrl-C may arrive twice: from the terminal, and from npm, which forwards it. */
const sameSignalMs = 1000

export async function serve(
  configFile: string | undefined,
  options: { readonly buildConsole?: true; readonly log?: LogForm } = {},
): Promise<void> {
  // By default, SIGUSR1 makes Node open its debugger port to every user of the machine. `npm start` and
  // `trent` turn that off from the first moment; then the signal would end the process. A log rotation may
  // send it.
  process.on('SIGUSR1', () => undefined)
  try {
    const config = loadConfig(process.env, configFile)
    const log = openLog(config.logLevel, options.log)
    await run(config, log, options.buildConsole === true)
  } catch (error) {
    fail(oneLine(error))
  }
}

function fail(message: string): never {
  process.stderr.write(`trent: ${message}\n`)
  process.exit(1)
}

async function run(
  config: Config,
  { log, logRequests }: ServerLog,
  builds: boolean,
): Promise<void> {
  const onFatal = (error: unknown): void => {
    log.fatal({ err: error }, 'the server cannot go on')
    log.flush()
    process.exit(1)
  }
  const { applyFile } = config
  const starting: Promise<RunningServer> = startServer(config, {
    log,
    logRequests,
    onFatal,
    onSeal: () => void stop(starting),
    ...(applyFile !== undefined && {
      async prepare(ask) {
        const { askToApply, warn } = await import('./apply.ts')
        const applied = await askToApply(applyFile, {}, ask)
        warn(applied)
        log.info({ file: applyFile, changes: applied.changes.length }, 'the file is applied')
      },
    }),
  })
  const stopping = stopOnSignals(starting)
  // Without TLS there is nothing to read again, and the signal means that the terminal is gone.
  if (hasTls(config)) reloadOnSignal(starting)
  const server = await starting
  const account = await Promise.race([server.ready, stopping]).catch(async (error: unknown) => {
    // Closes what was opened before the root key, in order: a journal, a socket.
    await server.stop().catch(() => undefined) // only the first error is reported
    throw error
  })
  if (account === undefined) return
  process.stdout.write(banner(config, server, account))
  if (config.testContainer !== undefined) {
    log.warn('TRENT_TEST_API=container: anyone who reaches this port can empty the store')
  }
  if (builds && config.console) buildConsole(log)
  // Not before: a refused start says one line.
  const isKeptApart = !isBesideData(config.seal, config.dataDirectory)
  // Whoever only tries Trent on loopback, with the key file next to the data, has nothing to lose by them.
  if (isReached(config) || isKeptApart) for (const gap of memoryGaps()) log.warn(gap)
  if (isReached(config) && !isKeptApart) {
    log.warn('the key file lies in the data directory: one copy of it opens every key')
  }
  if (config.backups !== undefined && isWithin(config.dataDirectory, config.backups.directory)) {
    log.warn('TRENT_BACKUP_DIR lies in the data directory: the backups are lost with it')
  }
}

/** Whether the settings say that others than this machine's user reach the server. */
function isReached({ listen: { host }, trustedProxies }: Config): boolean {
  return !isLoopback(host) || trustedProxies.length > 0
}

/** Whether any of the listeners has TLS: these two always have. */
function hasTls({ tls, xksProxy, unsealListen }: Config): boolean {
  return [tls, xksProxy, unsealListen].some((each) => each !== undefined)
}

/** Resolves at the first signal. A later one that is not an echo ends the process at once. */
function stopOnSignals(starting: Promise<RunningServer>): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let firstAt: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (firstAt !== undefined) {
      if (now - firstAt >= sameSignalMs) process.exit(128 + constants.signals[signal])
      return
    }
    firstAt = now
    resolve(undefined)
    void leave(starting).then(() => stop(starting))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  return promise
}

function reloadOnSignal(starting: Promise<RunningServer>): void {
  process.on(
    'SIGHUP',
    () =>
      void starting.then(
        (server) => server.reload(),
        () => undefined,
      ),
  )
}

/** Lets load balancers see that the server is about to stop. */
async function leave(starting: Promise<RunningServer>): Promise<void> {
  const server = await starting.catch(() => undefined) // `stop` reports it
  await server?.leave()
}

async function stop(starting: Promise<RunningServer>): Promise<never> {
  const server = await starting.catch((error: unknown) => fail(oneLine(error)))
  await server.stop().catch((error: unknown) => fail(`the stop was not clean: ${oneLine(error)}`))
  process.exit(0)
}

function banner(config: Config, server: RunningServer, account: FirstAccount): string {
  const { region, dataDirectory } = config
  const host = server.host.includes(':') ? `[${server.host}]` : server.host
  const url = `${config.tls === undefined ? 'http' : 'https'}://${host}:${server.port}`
  const key = account.accessKeyId === undefined ? '' : `, root access key ${account.accessKeyId}`
  const lines = [
    `Trent is ready on ${url}: account ${account.accountId}${key}, data in ${shown(dataDirectory)}`,
    ...(config.console ? [`Its console is at ${url}/console/`] : []),
    ...testWarnings(config),
    '',
    'To use it, paste:',
    ...credentialLines(config, account),
    `  export AWS_ENDPOINT_URL=${url}`,
    // Version 1 of the AWS CLI and boto3 read only the second name.
    `  export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}`,
    '',
    'and try:',
    '  key=$(aws kms create-key --query KeyMetadata.KeyId --output text)',
    // Version 1 of the AWS CLI takes text as it is, version 2 as Base64. Both read bytes from `fileb://`.
    '  printf hello | aws kms encrypt --key-id "$key" --plaintext fileb:///dev/stdin',
    '',
  ]
  return `${lines.join('\n')}\n`
}

function testWarnings({ testApi, testContainer, root }: Config): readonly string[] {
  if (!testApi) return []
  const reached = 'anyone who reaches this port can move the clock and empty the store.'
  if (testContainer === undefined) return [`THE TEST API IS ON: ${reached}`]
  return [
    `THE TEST API IS ON, ALSO FOR OTHER MACHINES: ${reached}`,
    ...(isTestRoot(root)
      ? ['ITS ROOT CREDENTIALS ARE test AND test: anyone who reaches this port can use every key.']
      : []),
  ]
}

function isTestRoot(root: Config['root']): boolean {
  return root !== undefined && Buffer.from(testCredential).equals(root.secretAccessKey)
}

function credentialLines(config: Config, { accessKeyId }: FirstAccount): readonly string[] {
  if (config.root === undefined && accessKeyId !== undefined) {
    const path = `${config.dataDirectory}/credentials`
    return [`  export AWS_SHARED_CREDENTIALS_FILE=${quoted(path)}`]
  }
  const told = config.root === undefined ? 'of an earlier start' : 'TRENT_ROOT_SECRET_ACCESS_KEY'
  const secret = isTestRoot(config.root) ? testCredential : `<${told}>`
  return [
    `  export AWS_ACCESS_KEY_ID=${accessKeyId ?? `<${told}>`}`,
    `  export AWS_SECRET_ACCESS_KEY=${secret}`,
  ]
}

function shown(directory: string): string {
  const fromHere = relative(process.cwd(), directory)
  return fromHere.startsWith('..') ? directory : `./${fromHere}`
}
