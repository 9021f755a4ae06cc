/**
 * The alarms of `docs/prometheus-alerts.yml` under Prometheus's own tool: that they are rules, that each
 * fires when it should, and that none does while all is well; and what a server tells under its linter.
 * @module
 */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { startTestServer } from '../harness.ts'
import { installed } from './installed.ts'

const promtool = await installed({
  name: 'promtool',
  toolchain: ['go version'],
  sources: 'promtool',
  fetch: ['go install -p 1 github.com/prometheus/prometheus/cmd/promtool'],
})
const { skip } = promtool
const program = join(promtool.bin, 'promtool')
const rules = join(import.meta.dirname, '../../docs/prometheus-alerts.yml')

/** Series of two hours, a value a minute: `3x120` stays at 3, `0+3x120` grows by 3 each minute. */
const well = {
  'up{job="trent"}': '1x120',
  trent_ready: '1x120',
  trent_sealed: '0x120',
  trent_seal_opens: '1x120',
  trent_database_damaged: '0x120',
  trent_freshness_seconds: '0.4x120',
  trent_freshness_bound_seconds: '5x120',
  'trent_node_silent_seconds{node="0123456789abcdef",name="n",stream="0123456789abcdef-worker-0",segment="1",offset="4096"}':
    '_x120',
  trent_clock_differs: '0x120',
  'trent_replication{state="synchronous"}': '1x120',
  'trent_replication{state="degraded"}': '0x120',
  trent_clock_held: '0x120',
  trent_store_read_seconds: '0.001x120',
  trent_journal_healthy: '1x120',
  trent_journal_has_reserve: '1x120',
  trent_journal_free_bytes: '1e12x120',
  trent_journal_waiting_records: '3x120',
  trent_journal_unanchored_seconds: '9x120',
  trent_outbox_records: '0 1 0x118',
  trent_journal_errors_total: '0x120',
  trent_event_index_lag_seconds: '1x120',
  trent_delivery_lag_seconds: '300x120',
  trent_delivery_waiting_files: '2x120',
  'trent_delivery_failures{step="place"}': '0x120',
  trent_backup_age_seconds: '3600x120',
  trent_backup_interval_seconds: '86400x120',
  trent_backup_failures: '0x120',
  trent_events_oldest_waiting_seconds: '1x120',
  'trent_events_total{outcome="dead"}': '0x120',
  'trent_refused_uses_total{state="PendingDeletion"}': '0x120',
  'trent_refused_uses_total{state="Disabled"}': '0x120',
  'trent_forged_total{what="row"}': '0x120',
  'trent_break_glass_total{act="unlock-key"}': '0x120',
  trent_refused_callers: '0+6x120',
  'trent_keys{state="Enabled"}': '9x120',
  'trent_keys{state="Unavailable"}': '0x120',
  'trent_keys{state="PendingDeletion"}': '0x120',
  trent_soonest_material_expiry_seconds: '8640000-60x120',
  trent_tls_certificate_expiry_seconds: '8640000-60x120',
  trent_tls_files_refused: '0x120',
  'trent_requests_total{service="kms",operation="Encrypt",outcome="success"}': '0+6000x120',
  'trent_requests_total{service="kms",operation="Encrypt",outcome="ThrottlingException"}': '0x120',
  'trent_requests_total{service="kms",operation="Encrypt",outcome="KMSInternalException"}': '0x120',
  'trent_request_seconds_bucket{service="kms",operation="Encrypt",le="0.5"}': '0+6000x120',
  'trent_request_seconds_bucket{service="kms",operation="Encrypt",le="1"}': '0+6000x120',
  'trent_request_seconds_bucket{service="kms",operation="Encrypt",le="+Inf"}': '0+6000x120',
  'trent_journal_fsync_seconds_bucket{le="0.1"}': '0+600x120',
  'trent_journal_fsync_seconds_bucket{le="0.25"}': '0+600x120',
  'trent_journal_fsync_seconds_bucket{le="+Inf"}': '0+600x120',
  'trent_xks_proxy_seconds_count{operation="Encrypt"}': '0+600x120',
  'trent_xks_proxy_seconds_bucket{operation="Encrypt",le="0.2"}': '0+600x120',
  'trent_xks_proxy_seconds_bucket{operation="Encrypt",le="0.25"}': '0+600x120',
  'trent_xks_proxy_seconds_bucket{operation="Encrypt",le="+Inf"}': '0+600x120',
  'trent_xks_proxy_errors_total{operation="Encrypt",failure="XksProxyTimeout"}': '0x120',
  trent_xks_proxy_tls_certificate_expiry_seconds: '8640000-60x120',
  trent_xks_proxy_tls_files_refused: '0x120',
  'trent_hsm_seconds_count{operation="Encrypt"}': '0+600x120',
  'trent_hsm_errors_total{operation="Encrypt",failure="NETWORK_ERRORS"}': '0x120',
  trent_key_store_throttled_total: '0x120',
} as const

type Series = keyof typeof well

/** What each alarm is for, and the series that brings it. */
const ill: Readonly<Record<string, Partial<Record<Series, string>>>> = {
  TrentDown: { 'up{job="trent"}': '0x120' },
  TrentSealed: { trent_sealed: '1x120' },
  TrentSealDoesNotOpen: { trent_seal_opens: '0x120' },
  TrentNotReady: { trent_ready: '0x120' },
  TrentServerErrors: {
    'trent_requests_total{service="kms",operation="Encrypt",outcome="KMSInternalException"}':
      '0+120x120',
  },
  TrentThrottling: {
    'trent_requests_total{service="kms",operation="Encrypt",outcome="ThrottlingException"}':
      '0+600x120',
  },
  TrentSlow: {
    'trent_request_seconds_bucket{service="kms",operation="Encrypt",le="0.5"}': '0+5000x120',
  },
  TrentStoreUnreadable: { trent_store_read_seconds: '_x120' },
  TrentDatabaseDamaged: { trent_database_damaged: '1x120' },
  TrentNotFresh: { trent_freshness_seconds: '0+60x120' },
  TrentNodeGoneUndrained: {
    'trent_node_silent_seconds{node="0123456789abcdef",name="n",stream="0123456789abcdef-worker-0",segment="1",offset="4096"}':
      '0+60x120',
  },
  TrentClockDiffers: { trent_clock_differs: '1x120' },
  TrentReplicationDegraded: { 'trent_replication{state="degraded"}': '1x120' },
  TrentClockHeld: { trent_clock_held: '1x120' },
  TrentJournalUnhealthy: { trent_journal_healthy: '0x120' },
  TrentJournalErrors: { trent_journal_errors_total: '0x114 1x6' },
  TrentJournalSyncSlow: { 'trent_journal_fsync_seconds_bucket{le="0.1"}': '0+500x120' },
  TrentJournalWaiting: { trent_journal_waiting_records: '2000x120' },
  TrentJournalDiskNearlyFull: { trent_journal_has_reserve: '0x120' },
  TrentJournalDiskFilling: { trent_journal_free_bytes: '1e10-20000000x120' },
  TrentCheckpointOld: { trent_journal_unanchored_seconds: '0+60x120' },
  TrentOutboxStuck: { trent_outbox_records: '1x120' },
  TrentEventIndexBehind: { trent_event_index_lag_seconds: '0+60x120' },
  TrentDeliveryLate: { trent_delivery_lag_seconds: '0+60x120' },
  TrentDeliveryFailing: { 'trent_delivery_failures{step="place"}': '0+1x120' },
  TrentDeliveryFilesWait: { trent_delivery_waiting_files: '60000x120' },
  TrentBackupOld: { trent_backup_age_seconds: '172900+60x120' },
  TrentBackupFailing: { trent_backup_failures: '3x120' },
  TrentEventsLate: { trent_events_oldest_waiting_seconds: '0+60x120' },
  TrentEventsDead: { 'trent_events_total{outcome="dead"}': '0x114 1x6' },
  TrentKeyPendingDeletionUsed: {
    'trent_refused_uses_total{state="PendingDeletion"}': '0x114 1x6',
  },
  TrentDisabledKeyUsed: { 'trent_refused_uses_total{state="Disabled"}': '0x114 1x6' },
  TrentMaterialExpiresSoon: { trent_soonest_material_expiry_seconds: '600000-60x120' },
  TrentMaterialExpiresNow: { trent_soonest_material_expiry_seconds: '86400-60x120' },
  TrentCertificateExpiresSoon: { trent_tls_certificate_expiry_seconds: '1209000-60x120' },
  TrentCertificateExpiresNow: { trent_tls_certificate_expiry_seconds: '172000-60x120' },
  TrentCertificateRefused: { trent_tls_files_refused: '1x120' },
  TrentKeysUnavailable: { 'trent_keys{state="Unavailable"}': '1x120' },
  TrentForged: { 'trent_forged_total{what="row"}': '0x114 1x6' },
  TrentBreakGlass: { 'trent_break_glass_total{act="unlock-key"}': '0x114 1x6' },
  TrentKeysPendingDeletion: { 'trent_keys{state="PendingDeletion"}': '1x120' },
  TrentCallersRefused: { trent_refused_callers: '0+120x120' },
  TrentXksProxyFailing: {
    'trent_xks_proxy_errors_total{operation="Encrypt",failure="XksProxyTimeout"}': '0+60x120',
  },
  TrentXksProxySlow: {
    'trent_xks_proxy_seconds_bucket{operation="Encrypt",le="0.2"}': '0+500x120',
  },
  TrentHsmFailing: {
    'trent_hsm_errors_total{operation="Encrypt",failure="NETWORK_ERRORS"}': '0+60x120',
  },
  TrentKeyStoreThrottled: { trent_key_store_throttled_total: '0x114 1x6' },
  TrentXksListenerCertificateExpiresSoon: {
    trent_xks_proxy_tls_certificate_expiry_seconds: '1209000-60x120',
  },
  TrentXksListenerCertificateRefused: { trent_xks_proxy_tls_files_refused: '1x120' },
}

function runOf(
  t: TestContext,
  file: string,
  content: string,
  ...args: readonly string[]
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'trent-promtool-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, file)
  writeFileSync(path, content)
  return new Promise((resolve, reject) => {
    execFile(program, [...args, path], (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${stdout}${stderr}`))
    })
  })
}

/** One server, of the labels that Prometheus adds; `firing` are the alarms of two hours later. */
function caseOf(
  name: string,
  changes: Partial<Record<Series, string>>,
  firing: string | undefined,
) {
  const labelled = (series: string): string => {
    const [family, labels = ''] = series.replace('job="trent"', '').replace('}', '').split('{')
    return `${family}{job="trent",instance="one",${labels}}`
  }
  const of = firing === undefined ? '' : `alertname="${firing}",`
  return {
    name,
    interval: '1m',
    input_series: Object.entries({ ...well, ...changes }).map(([series, values]) => ({
      series: labelled(series),
      values,
    })),
    promql_expr_test: [
      {
        expr: `count by (job) (ALERTS{${of}alertstate="firing"})`,
        eval_time: '119m',
        exp_samples: firing === undefined ? [] : [{ labels: '{job="trent"}', value: 1 }],
      },
    ],
  }
}

test('the alarms are rules', { skip }, () => {
  const said = execFileSync(program, ['check', 'rules', '--lint=all', '--lint-fatal', rules])
  assert.match(said.toString(), /SUCCESS: \d+ rules found/)
})

test('each alarm fires for what it is for, and none while all is well', { skip }, async (t) => {
  const { groups } = parse(readFileSync(rules, 'utf8')) as {
    groups: { rules: { alert: string }[] }[]
  } // as docs/metrics.md has it; the tool has checked it
  const names = groups.flatMap((group) => group.rules.map(({ alert }) => alert))
  assert.deepEqual(names.toSorted(), Object.keys(ill).toSorted())
  const tests = [
    caseOf('all is well', {}, undefined),
    ...Object.entries(ill).map(([alert, changes]) => caseOf(alert, changes, alert)),
  ]
  const content = stringify({ rule_files: [rules], evaluation_interval: '1m', tests })
  const said = await runOf(t, 'alarms.test.yml', content, 'test', 'rules')
  assert.match(said, /SUCCESS/)
})

test('what a server tells is in Prometheus’s form', { skip }, async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const said = await new Promise<string>((resolve) => {
    const child = execFile(program, ['check', 'metrics'], (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    )
    child.stdin?.end(text)
  })
  t.diagnostic(said)
  assert.doesNotMatch(said, /error/i)
})
