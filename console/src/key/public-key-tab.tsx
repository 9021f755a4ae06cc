/** The public key of an asymmetric key: shown, copied, downloaded as PEM or DER. @module */
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Copy } from '../shell/copy.tsx'
import { Failed } from '../shell/failed.tsx'
import { pemOf, save } from '../shell/files.ts'
import { Panel } from '../shell/panel.tsx'
import { Loading } from '../shell/screen.tsx'
import { keyText } from '../text/key.ts'
import type { KeyTabProps } from './key-screen.tsx'

const words = keyText.publicKey

export function PublicKeyTab({ keyId }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`public ${keyId}`, async () => {
    const answer = await aws.run(KMSClient, region, (kms) =>
      kms.send(new GetPublicKeyCommand({ KeyId: keyId })),
    )
    return answer.PublicKey ?? new Uint8Array()
  })
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.failed} again={again} />
  }
  const der = asked.value
  const pem = pemOf('PUBLIC KEY', der)
  return (
    <Panel
      title={words.title}
      hint={words.hint}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Copy value={pem} label={words.copy} />
          <Button onClick={() => save(`${keyId}.pem`, 'application/x-pem-file', pem)}>
            {words.pem}
          </Button>
          <Button onClick={() => save(`${keyId}.der`, 'application/octet-stream', der)}>
            {words.der}
          </Button>
        </SpaceBetween>
      }
    >
      <Box variant="code">
        <div className="text">{pem}</div>
      </Box>
    </Panel>
  )
}
