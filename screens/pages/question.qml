pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    readonly property bool exitPage: QuestionModel.notice.code === "exit_page"

    over: QuestionModel.progress === "" ? QuestionModel.itemName : QuestionModel.itemName + " · " + QuestionModel.progress
    title: QuestionModel.title
    notice: QuestionModel.notice
    showBack: true
    spacing: Theme.portrait ? Theme.gutter : 14
    primaryText: exitPage ? qsTr("到窗口办理") : qsTr("下一步")
    primaryMore: exitPage ? "" : QuestionModel.nextWords
    onPrimary: exitPage ? Chrome.windowSlip() : QuestionModel.next()

    PersonStrip {
        Layout.fillWidth: true
        visible: person !== "" && !page.exitPage && Theme.portrait && !(Keyboard.visible && (Display.large || QuestionModel.longText))
        person: QuestionModel.person
    }

    Label {
        Layout.fillWidth: true
        visible: text !== "" && !(Keyboard.visible && Display.large)
        text: QuestionModel.text
        font.pixelSize: Keyboard.visible ? Theme.body : page.exitPage ? Theme.lead : Theme.roomy
        color: page.exitPage ? Theme.ink : Theme.inkSoft
    }

    NumberedList {
        visible: page.exitPage
        lines: [qsTr("点“到窗口办理”，打印一张清单"), qsTr("清单上有要带的材料、窗口的地址和电话"), qsTr("带着清单和证件去窗口，不用重新问")]
    }

    SlotHint {
        Layout.fillWidth: true
        visible: QuestionModel.slot !== "none" && QuestionModel.notice.code === ""
        phase: QuestionModel.slot
    }

    Repeater {
        id: fields
        model: QuestionModel.fields

        FieldBlock {
            onEdited: (field, text) => QuestionModel.edit(field, text)
            onEntered: place => Qt.callLater(page.contentArea.reveal, place)
        }
    }

    // the first field still to be written is ready to be written, unless a card may write it
    Component.onCompleted: {
        if (QuestionModel.slot === "ready")
            return
        for (let number = 0; number < fields.count; number++) {
            const block = fields.itemAt(number) as FieldBlock
            if (block && block.wantsText && block.value === "") {
                block.take()
                break
            }
        }
    }
}
