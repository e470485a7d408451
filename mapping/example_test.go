package mapping_test

import (
	"fmt"
	"os"

	"github.com/yilian/yilian/mapping"
)

// A program maps records without a server: it loads the hospital's folder once, then reads and maps what the hospital writes.
func Example() {
	county, err := mapping.Load(os.DirFS("../testdata/alliance/institutions/county-hospital"), mapping.Options{})
	if err != nil {
		panic(err) // every mistake in the folder, with its line
	}
	file := mapping.File{Name: "HIS_ZG.csv", Bytes: []byte("ZGGH,XM,KSDM,ZC,XGSJ\n1014,喻涛,0102,233,2025-09-25 02:00:00\n")}
	for cut, err := range county.Open("nightly", []mapping.File{file}, mapping.IntakeLimits{}).Records() {
		if err != nil || cut.Err != nil { // the delivery cannot be read, or these bytes are no record
			panic(fmt.Sprint(err, cut.Err))
		}
		res, _ := county.Map(cut.Record, mapping.RunOptions{Salt: []byte("a secret of the hospital")})
		for _, r := range res.Resources {
			fmt.Println(r.Write, string(r.Tree.AppendJSON(nil)))
		}
	}
	// Output:
	// update {"resourceType":"Practitioner","id":"xh273ncjjq25m7hsddjssef4gu","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"EI"}]},"system":"https://yilian.dev/fhir/institution/county-hospital/staff","value":"1014"}],"name":[{"text":"喻涛","family":"喻","given":["涛"]}]}
	// replace {"resourceType":"PractitionerRole","id":"7igbfxrsi2zgpk2hjrlxz344mu","practitioner":{"reference":"Practitioner/xh273ncjjq25m7hsddjssef4gu","display":"喻涛"},"organization":{"reference":"Organization/esqfxwe6vr33iyiautfuhqlhyq"},"code":[{"coding":[{"system":"https://yilian.dev/fhir/institution/county-hospital/codes/titles","code":"233","display":"主治医师"}],"text":"主治医师"}]}
}
