/** The guide to nginx, HAProxy and Caddy, with the programs of Debian. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ListAliasesCommand } from '@aws-sdk/client-kms'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { unpackedPackages } from '../debian-packages.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { followGuide } from '../guides/guide.ts'
import { main } from '../start/serve-process.ts'

const clients = await pythonClients()
const debian = unpackedPackages('proxies', ['nginx', 'haproxy', 'caddy'])
const skip = clients.skip || ('why' in debian && debian.why)
const root = 'root' in debian ? debian.root : ''
const bin = [join(root, 'usr/sbin'), join(root, 'usr/bin')].join(':')

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
  (each) => `${each}_temp_path ${each};`,
)

test(
  'nginx, HAProxy and Caddy forward signed calls and the address of the client',
  { skip },
  async (t) => {
    const ports: Record<string, number> = {}
    for (const port of ['8443', '8444', '8445']) ports[port] = await freeLoopbackPort()
    const { server, folder } = await followGuide(
      t,
      'docs/guides/proxies.md',
      [clients, { bin, skip: false }],
      {
        settings: { TRENT_TRUSTED_PROXIES: '127.0.0.1' },
        environment: { LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') },
        notRun: { 'TRENT_TRUSTED_PROXIES=': 'the server of this test has it' },
        stands: {
          ...Object.fromEntries(Object.entries(ports).map(([page, port]) => [page, String(port)])),
          // Debian's nginx has these in /var/lib/nginx, which only an installed package makes.
          'access_log off;': ['access_log off;', ...temporary].join(' '),
          'trent certificate': `'${process.execPath}' '${main}' certificate`,
        },
        before: {
          'export AWS_CA_BUNDLE': () => Promise.all(Object.values(ports).map(listening)),
        },
      },
    )
    const ca = readFileSync(join(folder, 'tls/ca.pem'))
    for (const port of Object.values(ports)) {
      const httpsAgent = new Agent({ ca, localAddress: '127.0.0.9' })
      const endpoint = `https://127.0.0.1:${port}`
      const client = server.client({ endpoint, requestHandler: { httpsAgent } })
      await client.send(new ListAliasesCommand())
    }
    const called = (await recordsOf(server.directory)).filter(
      ({ eventName }) => eventName === 'ListAliases',
    )
    assert.deepEqual(
      called.map(({ sourceIPAddress }) => sourceIPAddress),
      ['127.0.0.9', '127.0.0.9', '127.0.0.9'],
    )
  },
)

/** Waits until something takes connections there. The limit of the test ends a wait in vain. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const socket = connect(port, '127.0.0.1')
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (connected) return
    await sleep(100)
  }
  throw new Error(`nothing listens on port ${port}`)
}
