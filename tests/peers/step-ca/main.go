// A step-ca for the tests, of Debian's packaged libraries: the real authority, API and tokens.
//
//	step-ca CONFIG           serves until it is killed
//	step-ca -jwk PASSWORD    makes a key: public JWK, private JWK, JWE (compact), JWE (JSON), a
//	                         line each
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"
	"go.step.sm/crypto/jose"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func line(v interface{}) {
	text, err := json.Marshal(v)
	check(err)
	fmt.Println(string(text))
}

func makeKey(password string) {
	key, err := jose.GenerateJWK("EC", "P-256", "ES256", "sig", "", 0)
	check(err)
	key.KeyID, err = jose.Thumbprint(key)
	check(err)
	sealed, err := jose.EncryptJWK(key, []byte(password))
	check(err)
	compact, err := sealed.CompactSerialize()
	check(err)
	line(key.Public())
	line(key)
	fmt.Println(compact)
	fmt.Println(sealed.FullSerialize())
}

func serve(file string) {
	cfg, err := config.LoadConfiguration(file)
	check(err)
	server, err := ca.New(cfg)
	check(err)
	check(server.Run())
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "-jwk":
		makeKey(os.Args[2])
	case len(os.Args) == 2:
		serve(os.Args[1])
	default:
		log.Fatal("usage: step-ca CONFIG | step-ca -jwk PASSWORD")
	}
}
