package graph
import ("testing";"fmt";"os")
func TestExplore(t *testing.T){
 e:=newEndpoint(t); _,tok:=e.newUser("Alice")
 show:=func(label string,a *answer){ fmt.Println("##",label,a.Status,a.Body, "LOG:",e.log.take()[:])}
 for _,c:=range []struct{q string; v vars}{
 {`query($v: Boolean = false){ me @skip(if:$v){name} }`, vars{"v":nil}},
 {`query($v: Boolean = false){ me { name @skip(if:$v)} }`, vars{"v":nil}},
 {`query($s: Int = 5){ me { avatarUrl(size:$s)} }`, vars{"s":nil}},
 {`mutation($i: UpdateNameInput = {name:"x"}){ updateName(input:$i){userErrors{code}} }`, vars{"i":nil}},
 {`mutation($i: String = "x"){ updateName(input:{name:$i}){userErrors{code}} }`, vars{"i":nil}},
 {`mutation($f: Upload = 99999999999999999999999){ updateAvatar(file:$f){userErrors{code}} }`, nil},
 {`mutation{ updateAvatar(file:99999999999999999999999){userErrors{code}} }`, nil},
 {`mutation{ updateAvatar(file:{a:[99999999999999999999999]}){userErrors{code}} }`, nil},
 {`mutation{ updateAvatar(file:"x"){userErrors{code}} }`, nil},
 {`mutation{ updateAvatar(file:null){userErrors{code}} }`, nil},
 {`mutation($f:Upload!){ updateAvatar(file:$f){userErrors{code}} }`, vars{"f":"x"}},
 {`query { me { avatarUrl(size: 99999999999) } }`, nil},
 {`query { me { avatarUrl(size: 9999999999999999999999) } }`, nil},
 {`query($s:Int!) { me { avatarUrl(size: $s) } }`, vars{"s":1e18}},
 {`query($s:Int!) { me { avatarUrl(size: $s) } }`, vars{"s":"5"}},
 {`query($s:Int!) { me { avatarUrl(size: $s) } }`, vars{"s":1.5}},
 {`query { me { ... @defer { name } } }`, nil},
 {`query { __type(name:"User") {name} }`, nil},
 {`subscription { me }`, nil},
 {`query A{me{name}} query B{me{name}}`, nil},
 {`fragment F on User {name}`, nil},
 {``, nil},
 {`{ me { name `, nil},
 {`{ me { nmae } }`, nil},
 {`{ me(a:1) { name } }`, nil},
 {`{ me }`, nil},
 {`mutation { updateName { user { name } } }`, nil},
 {`mutation { updateName(input:{}) { user { name } } }`, nil},
 {`mutation { updateName(input:{name:5}) { user { name } } }`, nil},
 {`mutation { updateName(input:{nam:"x",name:"y"}) { user { name } } }`, nil},
 {`mutation { updateName(input:5) { user { name } } }`, nil},
 {`mutation($i:UpdateNameInput!) { updateName(input:$i) { user { name } } }`, vars{"i":5}},
 {`mutation($i:UpdateNameInput!) { updateName(input:$i) { user { name } } }`, vars{"i":vars{"name":5}}},
 {`mutation($i:UpdateNameInput!) { updateName(input:$i) { user { name } } }`, vars{"i":vars{"name":nil}}},
 {`mutation($i:UpdateNameInput!) { updateName(input:$i) { user { name } } }`, vars{"i":vars{"nam":nil}}},
 {`mutation($i:UpdateNameInput!) { updateName(input:$i) { user { name } } }`, nil},
 {`mutation($i:[UpdateNameInput!]!) { updateName(input:$i) { user { name } } }`, vars{"i":[]any{5}}},
 {`mutation { updateName(input:{name:ENUM}) { user { name } } }`, nil},
 {`mutation { updateName(input:{name:"\u12"}) { user { name } } }`, nil},
 {`mutation { updateName(input:[{name:"xx"}]) { user { name } } }`, nil},
 } { show(c.q,e.query(tok,c.q,c.v)) }
 e.serve(Options{})
 show("intro off",e.query(tok,`{__schema{types{name}}}`,nil))
 show("intro off",e.query(tok,`{__type(name:"User"){name}}`,nil))
 show("intro off",e.query(tok,`{__typename me{__typename}}`,nil))
 show("unknown upload", e.postForm(uploadForm("x")))
 show("upload", e.postForm(uploadForm("x"),bearer(tok)...))
 _=os.Stdout
}
