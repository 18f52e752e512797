import QtQuick
import "../theme"

// Text that a screen reader reads.
Text {
    property bool strong: false
    property bool spoken: true

    font.pixelSize: Theme.body
    font.weight: strong ? Font.Bold : Font.Normal
    color: Theme.ink
    wrapMode: Text.Wrap
    textFormat: Text.PlainText
    Accessible.role: Accessible.StaticText
    Accessible.name: text
    Accessible.ignored: !spoken || text === ""
}
