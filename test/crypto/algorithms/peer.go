// Signs and verifies with Go's standard library, for the tests: JSON cases in, JSON answers out.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
)

type testCase struct {
	Action string            `json:"action"`
	Scheme string            `json:"scheme"`
	Hash   string            `json:"hash"`
	Data   map[string][]byte `json:"data"`
}

var hashes = map[string]crypto.Hash{
	"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
}

func main() {
	var cases []testCase
	check(json.NewDecoder(os.Stdin).Decode(&cases))
	answers := []string{}
	for _, each := range cases {
		if each.Action == "sign" {
			answers = append(answers, sign(each))
		} else if verify(each) {
			answers = append(answers, "valid")
		} else {
			answers = append(answers, "invalid")
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(answers))
}

// prepare gives what Go signs: the digest, and for Ed25519ph the SHA-512 of the message.
func prepare(each testCase) ([]byte, crypto.SignerOpts) {
	message, hash := each.Data["message"], hashes[each.Hash]
	switch each.Scheme {
	case "ed25519ph":
		digest := sha512.Sum512(message)
		return digest[:], &ed25519.Options{Hash: crypto.SHA512}
	case "pss":
		return message, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	return message, hash
}

func sign(each testCase) string {
	key, err := x509.ParsePKCS8PrivateKey(each.Data["privateKey"])
	check(err)
	message, options := prepare(each)
	signature, err := key.(crypto.Signer).Sign(rand.Reader, message, options)
	check(err)
	return base64.StdEncoding.EncodeToString(signature)
}

func verify(each testCase) bool {
	key, err := x509.ParsePKIXPublicKey(each.Data["publicKey"])
	check(err)
	message, options := prepare(each)
	signature := each.Data["signature"]
	switch public := key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, message, signature)
	case ed25519.PublicKey:
		return ed25519.VerifyWithOptions(public, message, signature, options.(*ed25519.Options)) == nil
	case *rsa.PublicKey:
		if pss, ok := options.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(public, pss.Hash, message, signature, pss) == nil
		}
		return rsa.VerifyPKCS1v15(public, options.HashFunc(), message, signature) == nil
	}
	panic("key of no known type")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
