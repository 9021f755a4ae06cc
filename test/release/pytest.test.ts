/** The pytest plugin, installed from its sources as from PyPI, with tests of its own. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { pythonPrograms } from '../python-environment.ts'
import { root, temporaryFolder } from '../start/serve-process.ts'
import { testingPageBlock } from './testing-page.ts'

const { bin, skip } = await pythonPrograms({
  what: 'pytest',
  requirements: join(import.meta.dirname, 'requirements.txt'),
})

const tests = `
import datetime, sys, urllib.request
import pytest, trent_kms as trent

KEY = {"keyId": "bc436485-5092-42b8-92a3-0aa8b93536dd", "region": "us-west-2"}

def test_round_trip_with_clock_and_faults(trent_kms):
    kms = trent_kms.client(config=None)
    sealed = kms.encrypt(KeyId="alias/app", Plaintext=b"hello")["CiphertextBlob"]
    before = trent_kms.clock.now()
    assert trent_kms.clock.advance("366d") - before >= datetime.timedelta(days=366)
    assert trent_kms.clock.set(datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)).year == 2040
    trent_kms.faults.set([{"operations": ["Decrypt"], "error": "ThrottlingException", "count": 2}])
    assert len(trent_kms.faults.list()) == 1
    opened = kms.decrypt(CiphertextBlob=sealed)
    assert opened["Plaintext"] == b"hello"
    assert opened["ResponseMetadata"]["RetryAttempts"] == 2
    trent_kms.faults.set([{"operations": ["*"], "error": "KMSInternalException"}])
    trent_kms.faults.clear()
    assert kms.list_keys()["Keys"]
    with pytest.raises(trent.TrentError, match="the test API refused clock"):
        trent_kms.clock.advance("soon")

def test_settings_seed_and_reset(trent_kms):
    assert trent_kms.account_id == "111122223333"
    assert trent_kms.environment["AWS_ENDPOINT_URL"] == trent_kms.url
    assert trent_kms.secret_access_key not in repr(trent_kms)
    kms = trent_kms.client("kms")
    trent_kms.seed({"accounts": [{"accountId": "111122223333", "keys": [KEY]}]})
    assert len(kms.list_keys()["Keys"]) == 2
    with pytest.raises(trent.TrentError, match="the seed was refused: .*acounts"):
        trent_kms.seed({"acounts": []})
    trent_kms.reset()
    assert len(kms.list_keys()["Keys"]) == 1

def test_another_server_ends_without_a_trace(trent_kms, tmp_path, pytestconfig, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    command = pytestconfig.getini("trent_kms_command")
    other = trent.start(command=command)
    assert other.url != trent_kms.url
    other.stop()
    with pytest.raises(OSError):
        urllib.request.urlopen(other.url + "/healthz")
    with pytest.raises(trent.TrentError, match="did not start: trent: TRENT_REGION: nowhere"):
        trent.start(command=command, settings={"TRENT_REGION": "nowhere"})
    with pytest.raises(trent.TrentError, match="cannot be run"):
        trent.start(command="no-such-program")
    assert list(tmp_path.iterdir()) == []
`

test(
  'the pytest plugin starts a server for a session, and needs no conftest.py',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t)
    const sources = join(folder, 'sources')
    cpSync(join(root, 'testing', 'python'), sources, { recursive: true })
    const run = (parameters: readonly string[]): Promise<{ readonly stdout: string }> =>
      promisify(execFile)(join(bin, 'python'), parameters, {
        cwd: folder,
        env: { PATH: process.env['PATH'], HOME: folder, PYTHONPATH: join(folder, 'packages') },
      }).catch((error: unknown) =>
        assert.fail((error as { stdout: string }).stdout || String(error)),
      )
    const install = ['install', '--quiet', '--no-index', '--no-deps', '--no-build-isolation']
    await run([
      '-m',
      'pip',
      ...install,
      '--disable-pip-version-check',
      '--target',
      'packages',
      sources,
    ])
    assert.ok(readdirSync(join(folder, 'packages', 'trent_kms')).includes('py.typed'))

    writeFileSync(join(folder, 'trent.yaml'), testingPageBlock('yaml', 'accounts:'))
    const command = `${process.execPath} ${join(root, 'bin', 'trent.js')}`
    const settings = testingPageBlock('ini', '[pytest]').replace('npx trent', command)
    writeFileSync(join(folder, 'pytest.ini'), settings)
    writeFileSync(join(folder, 'test_keys.py'), testingPageBlock('python', 'trent_kms'))
    writeFileSync(join(folder, 'test_trent.py'), tests)
    const { stdout } = await run(['-m', 'pytest', '-q'])
    assert.match(stdout, /^4 passed/m)
  },
)
