/** How people unseal the server. The console never takes a share: see decision 48. @module */
import Box from '@cloudscape-design/components/box'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { serverText } from '../text/server.ts'

export function UnsealHint(): ReactNode {
  return (
    <SpaceBetween size="xxs">
      <div>{serverText.unseal}</div>
      <Box variant="code">trent unseal</Box>
      <Box color="text-body-secondary" fontSize="body-s">
        {serverText.never}
      </Box>
    </SpaceBetween>
  )
}
