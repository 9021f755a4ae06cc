// Vault, started as its own main.go does. The versions of its parts are those of its go.mod.

// A library that it is linked with holds a certificate with a negative serial number, which Go refuses since 1.23.
//go:debug x509negativeserial=1

package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() {
	os.Exit(command.Run(os.Args[1:]))
}
